/**
 * Signatures of cookies, as Koa asks for them. Its own (`keygrip`) are of HMAC-SHA1, and for each cookie that is checked three keys are
 * prepared anew, two of them to compare in constant time: a fourteenth of what a login takes.
 */
import { createKeyedHash } from './keyed-hash.ts';
import { constantTimeEqual } from './secrets.ts';

export interface CookieSignatures {
  /** @returns the HMAC-SHA256 by the first key, in base64url. */
  sign(data: string): string;
  /** @returns which key made `signature`, or -1: a cookie by another than the first is signed anew by who asks. */
  index(data: string, signature: string): number;
  verify(data: string, signature: string): boolean;
}

/** @param keys at least one: the first signs, all verify. */
export function createCookieSignatures(keys: string[]): CookieSignatures {
  const hashes = keys.map((key) => createKeyedHash(Buffer.from(key)));
  const index = (data: string, signature: string) =>
    hashes.findIndex((hash) => constantTimeEqual(hash(data), signature));
  return { sign: hashes[0]!, index, verify: (data, signature) => index(data, signature) >= 0 };
}
