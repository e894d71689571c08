import { randomBytes, randomInt } from 'node:crypto';
import { createRandomBytes } from './random.ts';

const nextBytes = createRandomBytes(16);

/** An opaque, unguessable identifier: `prefix` and 128 random bits in base64url, which a command line takes for no option. */
export function newId(prefix = ''): string {
  const id = prefix + nextBytes().toString('base64url');
  return id.startsWith('-') ? newId(prefix) : id;
}

/** A secret of 256 random bits in base64url, as clients get it once. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

// No 0/O, 1/I/L: the code is read aloud.
const REFERENCE_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';

/** A short code that ties a page shown to a person to one log line, such as `K7QW-2M9X`. */
export function newReference(): string {
  const symbols = Array.from({ length: 8 }, () => REFERENCE_ALPHABET[randomInt(REFERENCE_ALPHABET.length)]);
  return `${symbols.slice(0, 4).join('')}-${symbols.slice(4).join('')}`;
}
