import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyedHash } from '../../src/kernel/keyed-hash.ts';
import { constantTimeEqual, createVault } from '../../src/kernel/secrets.ts';

/** Of any characters, halves of pairs included, and of any length. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff), { maxLength: 50 }).map((units) => String.fromCharCode(...units)),
  fc.tuple(fc.constantFrom('a', 'é', '€', '😀'), fc.integer({ min: 330, max: 1100 })).map(([c, n]) => c.repeat(n)),
);

describe('a keyed hash', () => {
  const key = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

  it('is HMAC-SHA256, whatever the key and the texts, one after another', () => {
    fc.assert(
      fc.property(key, fc.array(text, { minLength: 1, maxLength: 5 }), (key, texts) => {
        const keyedHash = createKeyedHash(key);
        const expected = texts.map((one) => createHmac('sha256', key).update(one).digest('base64url'));
        expect(texts.map(keyedHash)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  // RFC 4231, sections 4.3 and 4.7.
  it.each([
    [
      Buffer.from('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      Buffer.alloc(131, 0xaa),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('is what the standard says', (key, text, expected) => {
    expect(Buffer.from(createKeyedHash(key)(text), 'base64url').toString('hex')).toBe(expected);
  });
});

it('two texts are equal when they are the same, and only then', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const wellFormed = [a.toWellFormed(), b.toWellFormed()];
      expect(constantTimeEqual(a, Buffer.from(a, 'utf16le').toString('utf16le'))).toBe(true);
      expect(constantTimeEqual(a, b)).toBe(wellFormed[0] === wellFormed[1]);
      expect(constantTimeEqual(a, `${a}.`)).toBe(false);
    }),
  );
});

it('what was sealed comes back, whatever it is', () => {
  const vault = createVault(Buffer.alloc(32, 7));
  fc.assert(
    fc.property(text, text, (plain, context) => {
      const before = vault.seal(plain, context);
      const copy = Buffer.from(before);
      vault.seal('another', context);
      expect(before).toEqual(copy);
      expect(vault.open(before, context)).toBe(plain.toWellFormed());
    }),
  );
});
