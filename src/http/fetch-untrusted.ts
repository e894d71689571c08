/** Reaching addresses that others named: with limits of time and size, and never inside the network we stand in. */
import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, fetch } from 'undici';
import type { RequestInit, Response } from 'undici';
import { isPublic, isPublicLiteral } from '../kernel/addresses.ts';

const TIMEOUT_MS = 3000;
const POST_TIMEOUT_MS = 5000;

export interface Fetched {
  type: string;
  /** As `Cache-Control`, `Expires` and `Age` say. */
  headers: { get(name: string): string | null };
  body: Buffer;
}

export interface UntrustedLimits {
  maxBytes: number;
  /** For private networks: an operator's choice. */
  allowPrivate: boolean;
  /** The media type asked for. */
  accept?: string;
}

/** It answered, with something else than 200. */
export class UnwantedStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** Checks the addresses that are really connected to, so that a name cannot change its mind between check and use. */
export const publicOnly: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const allowed = addresses.filter(({ address }) => isPublic(address));
    const [first] = allowed;
    if (!first) return callback(new Error(`${hostname} is not a public address`), '');
    if (options.all) return callback(null, allowed);
    return callback(null, first.address, first.family);
  });
};

const guarded = new Agent({ connect: { lookup: publicOnly, timeout: TIMEOUT_MS } });

/** @throws Error when the address is private, or does not answer in time. */
function reach(url: string, init: RequestInit, { allowPrivate, timeout }: { allowPrivate: boolean; timeout: number }) {
  const { hostname, protocol } = new URL(url);
  if (!allowPrivate && protocol !== 'https:') throw new Error('only https is fetched');
  if (!allowPrivate && !isPublicLiteral(hostname)) throw new Error(`${hostname} is not a public address`);
  const signal = AbortSignal.timeout(timeout);
  return fetch(url, { ...init, signal, ...(allowPrivate ? {} : { dispatcher: guarded }) });
}

async function bodyOf(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > maxBytes) throw new Error(`larger than ${maxBytes} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

/** @throws Error when the address is private, too slow, too large, redirects or does not answer 200. */
export async function fetchUntrusted(
  url: string,
  { maxBytes, allowPrivate, accept = '*/*' }: UntrustedLimits,
): Promise<Fetched> {
  const response = await reach(url, { redirect: 'error', headers: { accept } }, { allowPrivate, timeout: TIMEOUT_MS });
  const { status, headers } = response;
  if (status !== 200) throw new UnwantedStatus(status);
  return { type: headers.get('content-type') ?? '', headers, body: await bodyOf(response, maxBytes) };
}

/** Why nothing answered, without what was sent or where to. */
function problemOf(error: Error): string {
  if (error.name === 'TimeoutError') return `no answer within ${POST_TIMEOUT_MS / 1000} seconds`;
  const { code, message } = (error.cause instanceof Error ? error.cause : error) as Error & { code?: string };
  return code === undefined ? message : `not reached (${code})`;
}

type Reach = Pick<UntrustedLimits, 'allowPrivate'>;
type Posted = { status: number } | { problem: string };

async function post(
  url: string,
  sent: Pick<RequestInit, 'body' | 'headers'>,
  { allowPrivate }: Reach,
): Promise<Posted> {
  try {
    const init: RequestInit = { ...sent, method: 'POST', redirect: 'manual' };
    const response = await reach(url, init, { allowPrivate, timeout: POST_TIMEOUT_MS });
    await response.body?.cancel().catch(() => undefined);
    return { status: response.status };
  } catch (error) {
    return { problem: problemOf(error as Error) };
  }
}

/**
 * Posts a form. Whatever the answer says beside its status is not read, and no redirect is followed.
 * @returns the status, or in words why there is none.
 */
export const postUntrusted = (url: string, form: Record<string, string>, allowed: Reach): Promise<Posted> =>
  post(url, { body: new URLSearchParams(form) }, allowed);

/** Posts JSON with a bearer token, likewise. */
export const postJsonUntrusted = (url: string, bearer: string, body: object, allowed: Reach): Promise<Posted> =>
  post(
    url,
    { body: JSON.stringify(body), headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` } },
    allowed,
  );
