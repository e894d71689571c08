import { randomFillSync } from 'node:crypto';

const AT_ONCE = 256;

/**
 * Random bytes, drawn from the system many at a time: one call each costs as much as an encryption. None is given out twice.
 * @param bytes how many at each call. @returns a function whose result holds until as many as were drawn at once have been given out.
 */
export function createRandomBytes(bytes: number): () => Buffer {
  const drawn = Buffer.alloc(bytes * AT_ONCE);
  let at = drawn.length;
  return () => {
    if (at === drawn.length) {
      randomFillSync(drawn);
      at = 0;
    }
    at += bytes;
    return drawn.subarray(at - bytes, at);
  };
}
