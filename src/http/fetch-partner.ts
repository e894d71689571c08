/** Fetching from services that the operator named: with limits of time and size, and on their word from nowhere inside our network. */
import { Agent, fetch } from 'undici';
import { isPublicLiteral } from '../kernel/addresses.ts';
import { publicOnly } from './fetch-untrusted.ts';

const CONNECT_MS = 5000;
const ALL_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
const WITHOUT_BODY = new Set([204, 205, 304]);

export interface PartnerLimits {
  /** Origins that the operator named: these may be anywhere. */
  origins: string[];
  /** Others that a partner names may be in private networks too. */
  allowPrivate: boolean;
}

export interface PartnerRequest {
  method: string;
  headers: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

async function readLimited(body: AsyncIterable<unknown> | null): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

const named = new Agent({ connect: { timeout: CONNECT_MS } });
const guarded = new Agent({ connect: { timeout: CONNECT_MS, lookup: publicOnly } });

/** Follows no redirect and gives the whole answer. @throws Error where a limit is broken. */
export async function partnerFetch(
  { origins, allowPrivate }: PartnerLimits,
  url: string,
  { method, headers, body, signal }: PartnerRequest,
): Promise<Response> {
  const { origin, hostname, protocol } = new URL(url);
  const free = allowPrivate || origins.includes(origin);
  if (!free && (protocol !== 'https:' || !isPublicLiteral(hostname)))
    throw new Error(`${origin} is not a public https address`);
  const limit = AbortSignal.timeout(ALL_MS);
  const response = await fetch(url, {
    method,
    headers,
    body: (body ?? null) as string | URLSearchParams | null,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    dispatcher: free ? named : guarded,
  });
  const content = await readLimited(response.body);
  return new Response(WITHOUT_BODY.has(response.status) ? null : new Uint8Array(content), {
    status: response.status,
    headers: [...response.headers],
  });
}
