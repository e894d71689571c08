/** What a stored grant gives: its scopes without the rejected ones, as the library reads it. */
import type { Payload } from '../../protocol/sealed-records.ts';
import { words } from '../features/issued-for-api.ts';

interface Given {
  openid?: { scope?: string; claims?: string[] };
  resources?: Record<string, string>;
}

export interface PlainGrant extends Payload, Given {
  exp: number;
  clientId: string;
  rejected?: Given;
}

/** Details (RFC 9396) and single claims are the library's to weigh. */
export const isPlainGrant = (grant: Payload): grant is PlainGrant => {
  const { rar, openid, rejected } = grant as Payload & Given & { rar?: unknown; rejected?: Given };
  return rar === undefined && openid?.claims === undefined && rejected?.openid?.claims === undefined;
};

/** @returns in the order of the grant those of `wanted` that it gives, in words. */
export function grantedScope({ openid, rejected }: PlainGrant, wanted: Set<string>): string {
  const gone = words(rejected?.openid?.scope).filter((name) => name !== 'openid');
  return words(openid?.scope)
    .filter((name) => wanted.has(name) && !gone.includes(name))
    .join(' ');
}

/** The same at an API, of what the client may have there. */
export function grantedAt(
  { resources, rejected }: PlainGrant,
  resource: string,
  wanted: Set<string>,
  offered: string[],
): string {
  const gone = words(rejected?.resources?.[resource]);
  return words(resources?.[resource])
    .filter((name) => wanted.has(name) && offered.includes(name) && !gone.includes(name))
    .join(' ');
}
