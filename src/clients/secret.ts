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

// As text first: a buffer that the hash itself makes has memory of its own, which costs more than hashing.
export const secretMatches = (secret: string, secretHash: string): boolean =>
  timingSafeEqual(Buffer.from(hash('sha256', secret, 'binary'), 'binary'), digestOf(secretHash));

/** What a secret that rests encrypted is bound to. */
export const secretContext = (clientId: string): string => `client-secret:${clientId}`;

const CHOSEN_LEAST = 32;
const CHOSEN_MOST = 512;
const LEAST_DIFFERENT = 10;

/**
 * What speaks against a secret that was chosen rather than drawn: it rests as one fast hash, so it must be as hard to guess as a
 * drawn one. Its characters are those of RFC 6749, appendix A.2.
 */
export function secretProblem(secret: string): string | undefined {
  if (secret.length < CHOSEN_LEAST || secret.length > CHOSEN_MOST || new Set(secret).size < LEAST_DIFFERENT)
    return `must be random, with ${CHOSEN_LEAST} to ${CHOSEN_MOST} characters, such as \`openssl rand -base64 32\` gives`;
  return /^[\x20-\x7e]+$/.test(secret) ? undefined : 'must have ASCII characters only';
}
