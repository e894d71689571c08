import { randomBytes, randomFillSync, randomInt } from 'node:crypto';

const ID_BYTES = 16;
const IDS_AT_ONCE = 256;

// Drawn from the system many at a time: one call for each costs many times as much. None is used twice.
const drawn = Buffer.alloc(ID_BYTES * IDS_AT_ONCE);
let at = drawn.length;

function nextId(): string {
  if (at === drawn.length) {
    randomFillSync(drawn);
    at = 0;
  }
  at += ID_BYTES;
  return drawn.toString('base64url', at - ID_BYTES, at);
}

/** An opaque, unguessable identifier: `prefix` and 128 random bits in base64url, which a command line takes for no option. */
export function newId(prefix = ''): string {
  const id = prefix + nextId();
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
