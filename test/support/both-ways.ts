/**
 * A request of the token endpoint in two forms: as apps send it, and with a parameter beside it that means nothing. Usual requests may
 * be answered by a shorter way than the library's; what is not quite usual never is. Whoever asks is to see no difference.
 */
import { request } from 'node:http';
import type { Running } from './gatehouse.ts';

/** What stands at the end of a body. */
export type Beside = '' | '&x=1';
export const USUAL: Beside = '';
export const UNUSUAL: Beside = '&x=1';

export interface TokenRequest {
  method?: string;
  path?: string;
  /** In the place of what a form usually has; undefined is none. */
  headers?: Record<string, string | undefined>;
  body?: string | Uint8Array;
}

export interface Told {
  status: number;
  /** As they came, with the names as they were written. */
  headers: [name: string, value: string][];
  text: string;
  body: Record<string, unknown>;
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const TOKENS = ['access_token', 'refresh_token', 'id_token'] as const;

const pairs = (raw: string[]): [string, string][] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]!] as [string, string]] : []));

export const headerOf = ({ headers }: Told, wanted: string): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

/** Makes an answer of what came over the wire. */
export function toldBy(status: number, headers: Told['headers'], text: string): Told {
  const isJson = headers.some(([name, value]) => name.toLowerCase() === 'content-type' && value.includes('json'));
  return { status, headers, text, body: isJson && text !== '' ? (JSON.parse(text) as Told['body']) : {} };
}

/** Sends a form to the token endpoint, or what else is said. */
export const ask = (
  { issuer }: Pick<Running, 'issuer'>,
  { method = 'POST', path = '/token', headers = {}, body }: TokenRequest,
): Promise<Told> =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const all = Object.entries({ ...FORM, ...length, ...headers }).filter(([, value]) => value !== undefined);
    const options = { method, headers: Object.fromEntries(all) };
    const sent = request(new URL(issuer + path), options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve(toldBy(answer.statusCode!, pairs(answer.rawHeaders), Buffer.concat(chunks).toString())),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });

const form = (token: string) => (token.split('.').length > 1 ? `${token.split('.').length} parts` : 'one part');

/** The body letter by letter, but for what is made anew for each answer. */
function comparableText({ text, body }: Told, reference: string | undefined): string {
  let comparable = text;
  for (const name of TOKENS) {
    const token = body[name];
    if (typeof token === 'string') comparable = comparable.replace(token, `${name} of ${form(token)}`);
  }
  return reference === undefined ? comparable : comparable.replaceAll(reference, 'REFERENCE');
}

/** What two answers to the same question have in common: status, headers, body, without tokens, moments and reference codes. */
export function comparable(told: Told) {
  const reference = headerOf(told, 'reference') ?? (told.body['reference'] as string | undefined);
  const differs: Record<string, string> = { date: 'DATE', 'content-length': 'LENGTH', reference: 'REFERENCE' };
  const headers = told.headers.map(([name, value]) => [name, differs[name.toLowerCase()] ?? value] as const);
  headers.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  return { status: told.status, headers, text: comparableText(told, reference) };
}

/** @returns the answers to both forms of a request. */
export async function bothWays(
  gatehouse: Pick<Running, 'issuer'>,
  make: (beside: Beside) => TokenRequest,
): Promise<[Told, Told]> {
  return [await ask(gatehouse, make(USUAL)), await ask(gatehouse, make(UNUSUAL))];
}
