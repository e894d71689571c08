/** People of another system move in and keep their passwords. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRows } from '../../src/accounts/moving/read.ts';
import type { FileFormat } from '../../src/accounts/moving/read.ts';
import type { RowOutcome } from '../../src/accounts/moving/moving.ts';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, enterPassword } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const PASSWORD = 'grün 🐢 tr0ubadour';
const BCRYPT = '$2y$05$BjtNpxPrvzq1TJg5HE/JEOrnJG97GZSaJ/IFNGwIOR6ucVjT.aP3e';
const DJANGO = 'pbkdf2_sha256$500$saltsaltsaltsalt$s+k02LfIOy5pL1FNhl05FGNh03ymH8EVcrhSArGcDWY=';
const SCRYPT = '$scrypt$ln=8,r=8,p=1$UYoxJiRkzLk3JuT8H2OMEQ$TBFu+ERvPyxOvtBkB6Sj0rtyvdGsSkCV8yRqOAzg6VI';

describe('people who move in', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  async function take(file: string, format: FileFormat = 'jsonl', options?: { dryRun: boolean }) {
    const outcomes: RowOutcome[] = [];
    const rows = readRows(Readable.from([file]), format);
    for await (const batch of gatehouse.moving.importPeople(rows, options)) outcomes.push(...batch);
    return outcomes;
  }
  const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  const hashOf = async (email: string) => (await gatehouse.accounts.get(email)).password_hash;

  it.each([
    ['bcrypt', BCRYPT],
    ['PBKDF2', DJANGO],
    ['scrypt', SCRYPT],
  ])('sign in with the password they had (%s), whose hash is replaced then', async (kind, password_hash) => {
    const email = `${kind.toLowerCase()}@example.com`;
    expect(await take(lines({ sub: `old-${kind}`, email, name: 'Ada', password_hash, roles: ['editor'] }))).toEqual([
      { line: 1, outcome: 'imported' },
    ]);
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    expect((await enterPassword(browser, page, { email, password: 'a wrong pass phrase' })).status).toBe(401);
    expect(await hashOf(email)).toBe(password_hash);

    const { callback, checks } = await authorize(rp, { email, password: PASSWORD } as never);
    const tokens = await rp.redeem(callback, checks);
    expect(tokens.claims()).toMatchObject({ sub: `old-${kind}` });
    expect(await hashOf(email)).toMatch(/^\$argon2id\$/);
    await authorize(rp, { email, password: PASSWORD } as never);
  });

  it('are told apart by line where something is wrong with a row, and the others arrive', async () => {
    const outcomes = await take(
      [
        lines({ email: 'row-1@example.com' }),
        '{"email": "row-2@example.com", oops',
        lines(
          { email: 'row three', name: 'secret name' },
          { email: 'row-4@example.com', password_hash: 'plain pass phrase' },
          { email: 'row-5@example.com', is_admin: true },
          { email: 'row-6@example.com', roles: ['two words'] },
          { email: 'row-7@example.com', birthdate: 'yesterday' },
          { email: 'row-8@example.com', created_at: 'yesterday' },
          { email: 'row-9@example.com', sub: 'with@sign' },
          { email: 'ROW-1@EXAMPLE.COM' },
          { email: 'row-1@example.com', sub: 'somebody-else' },
          { email: 'row-12@example.com', sub: 'mine' },
          { email: 'row-13@example.com', sub: 'mine' },
        ),
        '[]',
        '',
        lines({ email: 'row-16@example.com', given_name: 'Ada', family_name: 'Lovelace' }),
      ].join('\n'),
    );
    expect(outcomes).toEqual([
      { line: 1, outcome: 'imported' },
      { line: 2, outcome: 'bad', reason: 'is no JSON' },
      { line: 3, outcome: 'bad', reason: 'email is not an e-mail address' },
      {
        line: 4,
        outcome: 'bad',
        reason: expect.stringContaining('password_hash is in none of the known forms') as string,
      },
      { line: 5, outcome: 'bad', reason: 'is_admin is no field of a person' },
      { line: 6, outcome: 'bad', reason: expect.stringContaining('roles') as string },
      { line: 7, outcome: 'bad', reason: 'birthdate is no date such as 1990-12-31' },
      { line: 8, outcome: 'bad', reason: expect.stringContaining('created_at is no date') as string },
      { line: 9, outcome: 'bad', reason: expect.stringContaining('sub must be') as string },
      { line: 10, outcome: 'exists' },
      { line: 11, outcome: 'bad', reason: 'email belongs to an account with another sub' },
      { line: 12, outcome: 'imported' },
      { line: 13, outcome: 'bad', reason: 'sub belongs to an account with another e-mail' },
      { line: 14, outcome: 'bad', reason: expect.stringContaining('object') as string },
      { line: 16, outcome: 'imported' },
    ]);
    expect(await gatehouse.accounts.get('row-16@example.com')).toMatchObject({
      name: 'Ada Lovelace',
      email_verified: false,
    });
    expect(await gatehouse.accounts.get('row-1@example.com')).toMatchObject({ name: 'row-1' });
    for (const gone of [2, 4, 5, 6, 7, 8, 9, 13])
      expect(await gatehouse.accounts.findByEmail(`row-${gone}@example.com`)).toBeUndefined();
  });

  it('may arrive twice: the second time they are there', async () => {
    const file = Array.from({ length: 250 }, (_, n) => JSON.stringify({ email: `twice-${n}@example.com` })).join('\n');
    expect(new Set((await take(file)).map(({ outcome }) => outcome))).toEqual(new Set(['imported']));
    expect(new Set((await take(file)).map(({ outcome }) => outcome))).toEqual(new Set(['exists']));
  });

  it('are only looked at in a dry run', async () => {
    const file = lines({ email: 'dry@example.com' }, { email: 'not dry' });
    expect((await take(file, 'jsonl', { dryRun: true })).map(({ outcome }) => outcome)).toEqual(['imported', 'bad']);
    expect(await gatehouse.accounts.findByEmail('dry@example.com')).toBeUndefined();
  });

  it('come from a spreadsheet too', async () => {
    const csv = [
      '\uFEFFemail,email_verified,name,roles,phone_number,address.country',
      'csv-1@example.com,TRUE,"Lovelace, Ada",admin  editor,\'+49123,Deutschland',
      'csv-2@example.com,,,,,',
      'csv-3@example.com,maybe,,,,',
      'csv-4@example.com,true',
      ',,,,,',
    ].join('\r\n');
    expect(await take(csv, 'csv')).toEqual([
      { line: 2, outcome: 'imported' },
      { line: 3, outcome: 'imported' },
      { line: 4, outcome: 'bad', reason: expect.stringContaining('email_verified') as string },
      { line: 5, outcome: 'bad', reason: 'has 2 cells where the first line has 6' },
    ]);
    expect(await gatehouse.accounts.get('csv-1@example.com')).toMatchObject({
      email_verified: true,
      name: 'Lovelace, Ada',
      roles: ['admin', 'editor'],
      claims: { phone_number: '+49123', address: { country: 'Deutschland' } },
    });
  });

  it.each([';', '\t'])('come from a spreadsheet that separates by %j, as in other languages', async (mark) => {
    const id = mark === ';' ? 'semicolon' : 'tab';
    const rows = [
      ['email', 'name', 'roles'],
      [`${id}@example.com`, '"Lovelace, Ada"', 'editor'],
      [`${id}-2@example.com`, 'Bob', ''],
    ];
    const outcomes = await take(rows.map((cells) => cells.join(mark)).join('\r\n'), 'csv');
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['imported', 'imported']);
    expect((await gatehouse.accounts.get(`${id}@example.com`)).name).toBe('Lovelace, Ada');
  });

  it.each([
    ['the column e_mail is unknown; the nearest is email', 'e_mail,name\na@b.example,x'],
    ['there are two columns name', 'email,name,name\na@b.example,x,y'],
    ['there is no column email', 'sub,name\n1,x'],
    ['at line 2', 'email,name\n"a@b.example,x'],
  ])('from a table with a fault get a clear word: %s', async (words, csv) => {
    await expect(take(csv, 'csv')).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(words) as string,
    });
  });

  it('from a line without end are refused', async () => {
    await expect(take(`{"email":"${'a'.repeat(1_100_000)}`)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
