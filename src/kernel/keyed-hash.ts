/** HMAC-SHA256 (RFC 2104) by two hashes at one call each: Node's own makes an object each time, which costs more than the hashing. */
import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** Bytes of a text that is hashed without making room for it first. */
const ROOM = 1024;
const MOST_BYTES_PER_UNIT = 3;

/** @param key of any length. @returns what gives the keyed hash of a text, which is hashed as UTF-8, in base64url. */
export function createKeyedHash(key: Buffer): (text: string) => string {
  const inner = Buffer.alloc(BLOCK_BYTES + ROOM, INNER);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, OUTER);
  for (const [at, byte] of (key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key).entries()) {
    inner[at] = INNER ^ byte;
    outer[at] = OUTER ^ byte;
  }
  const start = inner.subarray(0, BLOCK_BYTES);

  function padded(text: string): Buffer {
    if (text.length * MOST_BYTES_PER_UNIT > ROOM) return Buffer.concat([start, Buffer.from(text)]);
    return inner.subarray(0, BLOCK_BYTES + inner.write(text, BLOCK_BYTES));
  }

  return (text) => {
    // As text of one byte each: a buffer would be one more object with memory of its own.
    outer.write(hash('sha256', padded(text), 'binary'), BLOCK_BYTES, 'binary');
    return hash('sha256', outer, 'base64url');
  };
}
