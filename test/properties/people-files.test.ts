/** Whoever leaves in a file arrives from it unchanged. */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../src/accounts/moving/read.ts';
import type { FileFormat } from '../../src/accounts/moving/read.ts';
import { accountOf, rowOf } from '../../src/accounts/moving/row.ts';
import type { PersonRow } from '../../src/accounts/moving/row.ts';
import { writeRows } from '../../src/accounts/moving/write.ts';

const writing = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((value) =>
    value
      .normalize('NFC')
      .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\uFFFD]/gu, '')
      .trim(),
  )
  .filter((value) => value !== '');
const odd = fc.constantFrom('=1+1', "'=1+1", "''@x", '+49 1', '-', "it's", 'a,b', 'say "hi"', ';', "'", '\uFF1Dx');
const words = fc.oneof(writing, odd);

const people: fc.Arbitrary<PersonRow[]> = fc.uniqueArray(
  fc.record(
    {
      sub: fc.uuid(),
      email: fc.uuid().map((id) => `${id}@example.com`),
      email_verified: fc.boolean(),
      name: words,
      nickname: words,
      phone_number: fc.constantFrom('+4912345', '0049 123'),
      phone_number_verified: fc.boolean(),
      address: fc.record({ locality: words, country: words }, { requiredKeys: ['locality'] }),
      roles: fc.uniqueArray(fc.constantFrom('admin', 'a.b:c', '-x', 'editor'), { maxLength: 3 }),
      state: fc.constantFrom('active' as const, 'suspended' as const),
      created_at: fc
        .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
        .map((date) => date.toISOString()),
    },
    { requiredKeys: ['sub', 'email', 'email_verified', 'name', 'roles', 'state', 'created_at'] },
  ),
  { selector: ({ sub }) => sub, maxLength: 8 },
);

async function* each<T>(items: T[]): AsyncGenerator<T> {
  yield* items;
}

describe.each<FileFormat>(['csv', 'jsonl'])('people in a %s file', (format) => {
  it('come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(people, async (rows) => {
        const file = await text(writeRows(each(rows), format));
        const back: PersonRow[] = [];
        for await (const { value, fault } of readRows(Readable.from([file]), format)) {
          expect(fault).toBeUndefined();
          back.push(rowOf(accountOf(value), { withPasswordHash: false }));
        }
        expect(back).toEqual(rows);
      }),
    );
  });
});
