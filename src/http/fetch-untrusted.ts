/** Fetching addresses that others named: with limits of time and size, and never from inside the network we stand in. */
import { lookup as resolve } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, fetch } from 'undici';

const TIMEOUT_MS = 3000;

export interface Fetched {
  type: string;
  body: Buffer;
}

export interface UntrustedLimits {
  maxBytes: number;
  /** For private networks: an operator's choice. */
  allowPrivate: boolean;
}

const isPublic = (address: string) => ipaddr.process(address).range() === 'unicast';

/** Whether a host is a name, or a public address. */
export function isPublicLiteral(hostname: string): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '');
  return !ipaddr.isValid(literal) || isPublic(literal);
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

/** @throws Error when the address is private, too slow, too large, redirects or does not answer 200. */
export async function fetchUntrusted(url: string, { maxBytes, allowPrivate }: UntrustedLimits): Promise<Fetched> {
  const { hostname, protocol } = new URL(url);
  if (!allowPrivate && protocol !== 'https:') throw new Error('only https is fetched');
  if (!allowPrivate && !isPublicLiteral(hostname)) throw new Error(`${hostname} is not a public address`);
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(allowPrivate ? {} : { dispatcher: guarded }),
  });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > maxBytes) throw new Error(`larger than ${maxBytes} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return { type: response.headers.get('content-type') ?? '', body: Buffer.concat(chunks) };
}
