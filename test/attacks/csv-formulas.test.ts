/** What people write into their profile is run by nobody's spreadsheet (CWE-1236). */
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parse } from 'csv-parse/sync';
import { rowOf } from '../../src/accounts/moving/row.ts';
import { writeRows } from '../../src/accounts/moving/write.ts';
import { startGatehouse } from '../support/gatehouse.ts';

const FORMULAS = ['=HYPERLINK("https://evil.example")', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '\uFF1D1+1'];

describe('a file of people', () => {
  it.each(FORMULAS)('holds no cell that begins a formula: %j', async (formula) => {
    const gatehouse = await startGatehouse();
    const account = await gatehouse.accounts.get((await gatehouse.person()).email);
    await gatehouse.storage.accounts.update({ ...account, name: formula, claims: { nickname: formula } });
    const rows = gatehouse.moving.exportPeople({ withPasswordHash: false });
    const records: string[][] = parse(await text(writeRows(rows, 'csv')), { record_delimiter: '\n' });
    const cells = records.flat();
    expect(cells.filter((cell) => cell === `'${formula}`)).toHaveLength(2);
    for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/);
    await gatehouse.stop();
  });

  it('holds no password hash unless that is asked for', () => {
    const account = { password_hash: '$argon2id$x', claims: {}, picture: null, last_sign_in_at: null } as never;
    expect(JSON.stringify(rowOf(account, { withPasswordHash: false }))).not.toContain('argon2');
    expect(rowOf(account, { withPasswordHash: true })).toMatchObject({ password_hash: '$argon2id$x' });
  });
});
