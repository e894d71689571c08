/** People in files, in the console: looked at, taken over, given out; and what an admin is told of it. */
import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import { createImportRuns } from '../../../src/administration/import-runs.ts';
import type { Browser, Page } from '../../support/browser.ts';
import { anAdmin, sendFile } from '../../support/console.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, backToNow, fieldValue, heading, linkNamed, passTime } from '../../support/journey.ts';
import type { Person } from '../../support/journey.ts';

const HASH = '$2y$05$BjtNpxPrvzq1TJg5HE/JEOrnJG97GZSaJ/IFNGwIOR6ucVjT.aP3e';
const IMPORT = '/admin/people/import';

let gatehouse: Running;
let admin: Person;
let browser: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
  ({ admin, browser } = await anAdmin(gatehouse));
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

const row = (id: string, more: object = {}) =>
  JSON.stringify({ email: `${id}@filed.example`, name: `P ${id}`, ...more });
const there = async (id: string) => (await gatehouse.accounts.findByEmail(`${id}@filed.example`)) !== undefined;
/** The facts of a run: name and number. */
const facts = (page: Page) =>
  Object.fromEntries(
    page.html
      .querySelectorAll('.gh-facts > div')
      .map((one) => [one.querySelector('dt')!.text.trim(), one.querySelector('dd')!.text.trim()]),
  );
const faults = (page: Page) =>
  page.html.querySelectorAll('tbody tr').map((one) => one.querySelectorAll('td').map((cell) => cell.text));
const submitExport = async (fields: Record<string, string>) => {
  const _csrf = fieldValue(await browser.open(IMPORT), '_csrf');
  return browser.request('/admin/people/export', { method: 'POST', body: new URLSearchParams({ _csrf, ...fields }) });
};

describe('a file of people in the console', () => {
  it('is checked without a word being written, then taken over, and each bad row is named', async () => {
    const content = `${row('a', { password_hash: HASH })}\n{"email":"nobody"}\nno json\n${row('b')}\n`;
    const checked = await sendFile(browser, { content, what: 'check' });
    expect(heading(checked)).toBe('Check of people.jsonl');
    expect(facts(checked)).toEqual({
      'Would be imported': '2',
      'There already': '0',
      'Bad rows': '2',
      'Last line': '4',
    });
    expect(await there('a')).toBe(false);

    const again = await browser.open(linkNamed(checked, 'Import it now'));
    expect(again.html.querySelector('#what option[selected]')?.getAttribute('value')).toBe('import');
    const done = await sendFile(browser, { content });
    expect(facts(done)).toEqual({ Imported: '2', 'There already': '0', 'Bad rows': '2', 'Last line': '4' });
    expect(faults(done)).toEqual([
      ['2', 'email is not an e-mail address'],
      ['3', 'is no JSON'],
    ]);
    expect([await there('a'), await there('b')]).toEqual([true, true]);
    const [entry] = (await gatehouse.audit.search({ type: 'people_imported', limit: 1 })).items;
    expect(entry).toMatchObject({ actor: { kind: 'admin', id: admin.sub }, detail: { imported: '2', bad: '2' } });
    expect(facts(await sendFile(browser, { content }))).toMatchObject({ Imported: '0', 'There already': '2' });
  });

  it('is a table as well, whichever way it says so', async () => {
    const table = (id: string) => `email,name\n${id}@filed.example,"Lovelace, Ada"\n`;
    await sendFile(browser, { name: 'people.CSV', content: table('table1') });
    await sendFile(browser, { name: 'people.txt', content: table('table2'), format: 'csv' });
    await sendFile(browser, { name: 'people', content: table('table3'), type: 'text/csv' });
    expect(await Promise.all(['table1', 'table2', 'table3'].map(there))).toEqual([true, true, true]);
  });

  it('is asked for again where something is missing, and what was chosen stays', async () => {
    const nothing = await sendFile(browser, { name: '', content: '', after_line: '7' });
    expect([nothing.status, alertText(nothing), fieldValue(nothing, 'after_line')]).toEqual([
      400,
      'Choose a file.',
      '7',
    ]);
    const unknown = await sendFile(browser, { name: 'people.xlsx', content: 'PK' });
    expect([unknown.status, alertText(unknown)]).toEqual([400, 'Say whether it is CSV or JSON lines.']);
    for (const after_line of ['-1', '1e3', '1234567890123', 'x'])
      expect((await sendFile(browser, { content: row('line'), after_line })).status).toBe(400);
    expect(await there('line')).toBe(false);
  });

  it('goes on after a line', async () => {
    const content = `${row('skipped')}\n${row('taken')}\n`;
    const page = await sendFile(browser, { content, after_line: '1' });
    expect(facts(page)).toMatchObject({ Imported: '1', 'Last line': '2' });
    expect([await there('skipped'), await there('taken')]).toEqual([false, true]);
  });

  it('that cannot be understood from some line on says why, and leads on from there', async () => {
    const table = await sendFile(browser, { name: 'people.csv', content: 'emial\nx@filed.example\n' });
    expect(table.text).toContain('the column emial is unknown; the nearest is email');
    const content = `${Array.from({ length: 150 }, (_, n) => row(`long${n}`)).join('\n')}\n"${'x'.repeat(1_100_000)}"\n`;
    const page = await sendFile(browser, { content });
    expect(page.text).toContain('line 151 is longer than 1000000 characters');
    expect(facts(page)).toMatchObject({ Imported: '100', 'Last line': '100' });
    const next = await browser.open(linkNamed(page, 'Go on after line 100'));
    expect([fieldValue(next, 'after_line'), next.html.querySelector('#what option[selected]')?.text]).toEqual([
      '100',
      'Import',
    ]);
    expect(linkNamed(next, 'people.jsonl')).toBe(page.url.pathname);
  });

  it('has all its bad rows in a table to keep, of which no spreadsheet runs anything', async () => {
    const bad = Array.from({ length: 1203 }, (_, n) => JSON.stringify({ [`=cmd${n}`]: 1, email: 'x@filed.example' }));
    const page = await sendFile(browser, { content: bad.join('\n') });
    expect([faults(page).length, page.text.includes('And 1103 more.')]).toEqual([100, true]);
    const file = await browser.request(linkNamed(page, 'Download all bad rows'));
    expect(file.headers.get('content-disposition')).toContain('bad-rows.csv');
    const rows: string[][] = parse(await file.text());
    expect([rows.length, rows[1], rows.at(-1)]).toEqual([
      1204,
      ['1', "'=cmd0 is no field of a person"],
      ['1203', "'=cmd1202 is no field of a person"],
    ]);
  });

  it('with more bad rows than are kept is read up to there', async () => {
    const { peopleMoving } = gatehouse;
    const kept = new Map<string, Record<string, unknown>>();
    const records = {
      upsert: async (kind: string, id: string, payload: object) =>
        void kept.set(kind + id, structuredClone({ ...payload })),
      find: async (kind: string, id: string) => kept.get(kind + id),
    };
    const runs = createImportRuns({ records, peopleMoving, mostBad: 250 });
    const stream = Readable.from(Array.from({ length: 1000 }, () => 'no json\n'));
    const id = await runs.run(OPERATOR, { name: 'bad.jsonl', stream }, { format: 'jsonl' });
    expect(await runs.get(OPERATOR, id)).toMatchObject({
      state: 'ended',
      reason: '300 rows are bad: mend those first',
      report: { bad: 300, last_line: 300 },
    });
    const lines: number[] = [];
    for await (const { line } of runs.faults(OPERATOR, id)) lines.push(line);
    expect(lines).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  });

  it('asks for a fresh proof, and what was chosen is still there after it', async () => {
    const { admin: other, browser: theirs } = await anAdmin(gatehouse);
    const page = await theirs.open(IMPORT);
    passTime(600);
    const body = new FormData();
    for (const [name, value] of Object.entries({ _csrf: fieldValue(page, '_csrf'), what: 'import', after_line: '12' }))
      body.append(name, value);
    body.append('file', new Blob([row('stale')]), 'people.jsonl');
    const asked = await theirs.open(IMPORT, { method: 'POST', body });
    expect(asked.url.pathname).toContain('/interaction/');
    const back = await theirs.submit(asked, { email: other.email, password: other.password });
    expect([back.url.pathname, fieldValue(back, 'after_line')]).toEqual([IMPORT, '12']);
    expect(await there('stale')).toBe(false);
  });

  it('is told of for a day, and to admins only', async () => {
    const page = await sendFile(browser, { content: row('told') });
    const { pathname } = page.url;
    expect(heading(await (await anAdmin(gatehouse)).browser.open(pathname))).toBe('Import of people.jsonl');
    expect((await browser.open(`${IMPORT}/${'A'.repeat(22)}`)).status).toBe(404);
    expect((await browser.open(`${IMPORT}/${'A'.repeat(22)}/faults`)).status).toBe(404);
    passTime(25 * 3600);
    const { browser: later } = await anAdmin(gatehouse);
    expect((await later.open(pathname)).status).toBe(404);
  });
});

describe('everybody in a file from the console', () => {
  it('comes in the form that is taken, and is recorded', async () => {
    await gatehouse.person({ name: '=HYPERLINK("https://evil.example")' });
    await sendFile(browser, { content: row('hashed', { password_hash: HASH }) });
    const lines = await submitExport({ export_format: 'jsonl' });
    expect([lines.status, lines.headers.get('content-disposition')]).toEqual([
      200,
      'attachment; filename="people.jsonl"',
    ]);
    expect([lines.headers.get('content-type'), lines.headers.get('cache-control')]).toEqual([
      'application/x-ndjson; charset=utf-8',
      'no-store',
    ]);
    const text = await lines.text();
    expect([text.includes('hashed@filed.example'), text.includes(HASH)]).toEqual([true, false]);
    expect(facts(await sendFile(browser, { content: text }))).toMatchObject({ Imported: '0', 'Bad rows': '0' });
    expect(await (await submitExport({ export_format: 'jsonl', export_hashes: 'yes' })).text()).toContain(HASH);
    const csv = await (await submitExport({ export_format: 'csv' })).text();
    expect(csv).toContain("'=HYPERLINK");
    expect(csv).not.toMatch(/(^|,)"?[=+@-][A-Z]/m);
    const [entry] = (await gatehouse.audit.search({ type: 'people_exported', limit: 1 })).items;
    expect(entry).toMatchObject({ actor: { kind: 'admin', id: admin.sub }, detail: { password_hashes: 'false' } });
  });
});
