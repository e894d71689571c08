import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const SCHEME = 'sha256:';
const DIGEST_BYTES = 32;

/** Client secrets carry 256 random bits, so one fast hash is enough: there is nothing to guess. */
export const hashSecret = (secret: string): string => SCHEME + hash('sha256', secret, 'base64url');

/** Whatever is not such a hash gives one that matches nothing. */
const digestOf = (secretHash: string): Buffer => {
  const digest = Buffer.from(secretHash.slice(SCHEME.length), 'base64url');
  return secretHash.startsWith(SCHEME) && digest.length === DIGEST_BYTES ? digest : randomBytes(DIGEST_BYTES);
};

export const secretMatches = (secret: string, secretHash: string): boolean =>
  timingSafeEqual(hash('sha256', secret, 'buffer'), digestOf(secretHash));

/** What a secret that rests encrypted is bound to. */
export const secretContext = (clientId: string): string => `client-secret:${clientId}`;
