/** Which requests to the token endpoint are plain, by how they are sent. The library reads all others, and says what is wrong with them. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import { isDocumentId } from '../../clients/documents.ts';

const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;
/** A refresh token, a secret, scopes and a resource are far shorter. */
const MOST_BYTES = 4096;
const SPECIAL_HEADERS = [
  'dpop',
  'origin',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
  'transfer-encoding',
  'content-encoding',
  'expect',
];
const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/;
/** What stands for itself in a form, so that there is nothing to decode: as do ids and secrets that we make. */
const UNRESERVED = /^[\w.~-]+$/;

interface Credentials {
  clientId: string;
  /** Undefined where a public client only names itself. */
  secret: string | undefined;
}

export interface PlainRequest extends Credentials {
  /** Those that are not about the client. Each was sent once, and none is empty. */
  params: Record<string, string>;
}

/** HTTP Basic authentication (RFC 6749, section 2.3.1). */
function inHeader(header: string): Credentials | undefined {
  const [, encoded] = BASIC.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  const [clientId, secret] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon < 1 || !UNRESERVED.test(clientId) || !UNRESERVED.test(secret)) return undefined;
  // In another spelling of base64 it is the library's to judge.
  return Buffer.from(text, 'latin1').toString('base64') === encoded ? { clientId, secret } : undefined;
}

function paramsOf(body: Buffer): Record<string, string> | undefined {
  const params = parse(body.toString());
  const arePlain = Object.values(params).every((value) => typeof value === 'string' && value !== '');
  return arePlain ? (params as Record<string, string>) : undefined;
}

/** The whole body where it has arrived; it stays in the stream, for whoever reads it in earnest. */
async function peek(req: IncomingMessage, length: number): Promise<Buffer | undefined> {
  if (req.readableLength === 0) await once(req, 'readable');
  const body = req.read() as Buffer | null;
  if (body === null) return undefined;
  req.unshift(body);
  return body.length === length ? body : undefined;
}

/** @returns whether a plain request can have these headers. To be asked before the body is read. */
export const hasPlainHeaders = ({ method, headers }: IncomingMessage): boolean =>
  method === 'POST' &&
  FORM.test(headers['content-type'] ?? '') &&
  // Who looked at an empty body has read it to its end.
  Number(headers['content-length']) > 0 &&
  Number(headers['content-length']) <= MOST_BYTES &&
  SPECIAL_HEADERS.every((name) => headers[name] === undefined);

/** What a request with plain headers says; undefined where it is not plain. @throws Error when it breaks off. */
export async function plainRequest(req: IncomingMessage): Promise<PlainRequest | undefined> {
  const { authorization } = req.headers;
  const body = await peek(req, Number(req.headers['content-length']));
  const sent = body && paramsOf(body);
  if (!sent) return undefined;
  const { client_id: clientId, client_secret: secret, ...params } = sent;
  if (authorization === undefined)
    return clientId === undefined || isDocumentId(clientId) ? undefined : { clientId, secret, params };
  const credentials = secret === undefined ? inHeader(authorization) : undefined;
  if (!credentials || isDocumentId(credentials.clientId)) return undefined;
  return clientId === undefined || clientId === credentials.clientId ? { ...credentials, params } : undefined;
}
