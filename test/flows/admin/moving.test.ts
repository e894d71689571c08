/** People in files by the API: taken over as a stream, each bad row named, and given out in the same form. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../../src/administration/principal.ts';
import { adminApi, program, programToken } from '../../support/admin-api.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';

const HASH = '$2y$05$BjtNpxPrvzq1TJg5HE/JEOrnJG97GZSaJ/IFNGwIOR6ucVjT.aP3e';
const LINES = { 'content-type': 'application/x-ndjson' };
const CSV = { 'content-type': 'text/csv; charset=utf-8' };

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
});
afterAll(() => gatehouse.stop());

const row = (n: number | string, more: object = {}) =>
  JSON.stringify({ email: `p${n}@moved.example`, name: `P ${n}`, ...more });

describe('a file of people', () => {
  it('is taken over, what is bad is named by line, and sent again it changes nothing', async () => {
    const api = await program(gatehouse);
    const body = `${row(1, { password_hash: HASH })}\n{"email":"nobody"}\nno json\n${row(2)}\n`;
    const first = await api.post('/user-imports', body, LINES);
    expect(first.body).toMatchObject({ imported: 2, exists: 0, bad: 2, last_line: 4, more_faults: false });
    expect(first.body['faults']).toEqual([
      { line: 2, reason: 'email is not an e-mail address' },
      { line: 3, reason: 'is no JSON' },
    ]);
    expect((await api.post('/user-imports', body, LINES)).body).toMatchObject({ imported: 0, exists: 2, bad: 2 });
    expect((await api.post('/user-imports?after_line=3', body, LINES)).body).toMatchObject({ exists: 1, bad: 0 });
    const [entry] = (await gatehouse.audit.search({ type: 'people_imported', limit: 1 })).items;
    expect(entry).toMatchObject({ actor: { kind: 'client' }, detail: { last_line: '4' } });
  });

  it('puts people in groups that there are, and says so in what is given out', async () => {
    await gatehouse.groups.create(OPERATOR, { name: 'Vertrieb' });
    await gatehouse.groups.create(OPERATOR, { name: 'staff' });
    const api = await program(gatehouse);
    const lines = `${row('g1', { groups: ['Vertrieb'] })}\n${row('g2', { groups: ['staff', 'nowhere'] })}\n`;
    const { body } = await api.post('/user-imports', lines, LINES);
    expect(body).toMatchObject({ imported: 1, bad: 1 });
    expect(body['faults']).toEqual([{ line: 2, reason: 'groups names one that there is not' }]);
    const csv = await api.post('/user-imports', 'email,groups\npg3@moved.example,staff Vertrieb\n', CSV);
    expect(csv.body).toMatchObject({ imported: 1 });
    expect((await gatehouse.accounts.get('pg3@moved.example')).groups).toEqual(['staff', 'Vertrieb']);
    const token = await programToken(gatehouse, ['users:read']);
    for (const [format, part] of [
      ['csv', 'staff Vertrieb'],
      ['jsonl', '"groups":["staff","Vertrieb"]'],
    ]) {
      const url = `${gatehouse.issuer}/admin/api/v1/user-exports?format=${format}`;
      const text = await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).text();
      expect(text.split('\n').find((line) => line.includes('pg3@'))).toContain(part);
    }
  });

  it('is only looked at in a dry run', async () => {
    const api = await program(gatehouse);
    const answer = await api.post('/user-imports?dry_run=true', row('dry'), LINES);
    expect(answer.body).toMatchObject({ imported: 1, dry_run: true });
    expect(await gatehouse.accounts.findByEmail('pdry@moved.example')).toBeUndefined();
  });

  it('makes no admins without the scope for it', async () => {
    const some = await program(gatehouse, ['users:write']);
    const { body } = await some.post('/user-imports', `${row('boss', { roles: ['admin'] })}\n${row('other')}`, LINES);
    expect(body).toMatchObject({ imported: 1, bad: 1 });
    expect(await gatehouse.accounts.findByEmail('pboss@moved.example')).toBeUndefined();
    const csv = await some.post('/user-imports', 'email,roles\npcsv@moved.example,editor admin\n', CSV);
    expect(csv.body).toMatchObject({ imported: 0, bad: 1 });
  });

  it('that cannot be understood is refused with what is wrong, and of another kind not at all', async () => {
    const api = await program(gatehouse);
    const csv = await api.post('/user-imports', 'emial\nx@example.com\n', CSV);
    expect([csv.status, csv.body['detail']]).toEqual([400, 'the column emial is unknown; the nearest is email']);
    expect((await api.post('/user-imports', '{}', { 'content-type': 'application/json' })).status).toBe(415);
  });

  it('that is cut off keeps what came before, and harms nobody', async () => {
    const token = await programToken(gatehouse);
    const { hostname, port } = new URL(gatehouse.issuer);
    const headers = { ...LINES, authorization: `Bearer ${token}`, 'content-length': '1000000' };
    await new Promise<void>((resolve) => {
      const req = request({ hostname, port, method: 'POST', path: '/admin/api/v1/user-imports', headers });
      req.on('error', () => resolve());
      for (let n = 0; n < 250; n += 1) req.write(`${row(`cut${n}`)}\n`);
      const seen = setInterval(() => {
        void gatehouse.accounts.findByEmail('pcut150@moved.example').then((found) => {
          if (!found) return;
          clearInterval(seen);
          req.destroy();
        });
      }, 20);
    });
    const api = adminApi(gatehouse, token);
    const again = await api.post(
      '/user-imports',
      Array.from({ length: 250 }, (_, n) => row(`cut${n}`)).join('\n'),
      LINES,
    );
    expect(Number(again.body['exists'])).toBeGreaterThanOrEqual(200);
    expect(Number(again.body['imported']) + Number(again.body['exists'])).toBe(250);
  });
});

describe('everybody in a file', () => {
  it('comes in the form that is taken, without hashes unless they are asked for and allowed', async () => {
    const api = await program(gatehouse);
    await api.post('/user-imports', row('hashed', { password_hash: HASH }), LINES);
    const lines = await api.get('/user-exports');
    expect(lines.headers.get('content-disposition')).toContain('people.jsonl');
    expect(lines.text).toContain('phashed@moved.example');
    expect(lines.text).not.toContain(HASH);
    expect((await api.get('/user-exports?with_password_hashes=true')).text).toContain(HASH);
    const some = await program(gatehouse, ['users:read']);
    expect((await some.get('/user-exports?with_password_hashes=true')).status).toBe(403);
    expect((await api.post('/user-imports', lines.text, LINES)).body).toMatchObject({ imported: 0, bad: 0 });
  });

  it('as CSV runs nothing in a spreadsheet', async () => {
    await gatehouse.person({ name: '=HYPERLINK("https://evil.example")' });
    const api = await program(gatehouse);
    const { text, headers } = await api.get('/user-exports?format=csv');
    expect(headers.get('content-type')).toContain('text/csv');
    expect(text).not.toMatch(/(^|,)"?[=+@-][A-Z]/m);
    expect(text).toContain(`'=HYPERLINK`);
  });
});
