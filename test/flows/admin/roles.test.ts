/** Roles, groups, claim tables and previews through the admin API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../support/admin-api.ts';
import type { Api } from '../../support/admin-api.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';

let gatehouse: Running;
let api: Api;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  api = await program(gatehouse);
});
afterAll(() => gatehouse.stop());

const pointers = ({ body }: { body: Record<string, unknown> }) =>
  (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);

describe.each([
  { path: '/roles', content: { permissions: ['b:do', 'a:do'] }, kept: { permissions: ['a:do', 'b:do'] } },
  { path: '/groups', content: { roles: ['writer'] }, kept: { roles: ['writer'] } },
])('$path', ({ path, content, kept }) => {
  it('are made, read, changed, renamed and deleted', async () => {
    const made = await api.post(path, { name: 'first.one', description: ' What it is ', ...content });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`${gatehouse.issuer}/admin/api/v1${path}/first.one`);
    expect(made.body).toMatchObject({ name: 'first.one', description: 'What it is', ...kept });
    const etag = { 'if-match': made.headers.get('etag')! };
    const changed = await api.patch(`${path}/first.one`, { description: 'More' }, etag);
    expect(changed.body).toMatchObject({ description: 'More', ...kept });
    expect((await api.patch(`${path}/first.one`, { description: 'Late' }, etag)).status).toBe(412);
    expect((await api.patch(`${path}/first.one`, { description: 'No tag' }, {})).status).toBe(428);
    const renamed = await api.patch(`${path}/first.one`, { name: 'second' });
    expect(renamed.body).toMatchObject({ name: 'second', ...kept });
    expect((await api.get(`${path}/first.one`)).status).toBe(404);
    expect((await api.get(`${path}/second`)).body).toEqual(renamed.body);
    expect((await api.delete(`${path}/second`)).status).toBe(204);
    expect((await api.delete(`${path}/second`)).status).toBe(404);
  });

  it('have names of their own kind, each once', async () => {
    await api.post(path, { name: 'taken' });
    const twice = await api.post(path, { name: 'taken' });
    expect([twice.status, pointers(twice)]).toEqual([409, ['#/name']]);
    for (const name of ['', 'two words', '<b>', 'a/b', 'x'.repeat(101), '../..'])
      expect((await api.post(path, { name })).status, name).toBe(400);
    expect((await api.post(path, { name: 'n', id: 'rol_mine', former_names: ['taken'] })).status).toBe(400);
  });

  it('are listed by name, page by page, and found by words', async () => {
    for (const name of ['zz-3', 'zz-1', 'zz-2']) await api.post(path, { name, description: 'Quokka keepers' });
    const names: unknown[] = [];
    let after = '';
    do {
      const { body } = await api.get(`${path}?search=quokka&limit=2${after}`);
      const { items, next } = body as { items: { name: string }[]; next?: string };
      names.push(...items.map(({ name }) => name));
      after = next === undefined ? '' : `&after=${encodeURIComponent(next)}`;
    } while (after !== '');
    expect(names).toEqual(['zz-1', 'zz-2', 'zz-3']);
    expect((await api.get(`${path}?search=zz-2`)).body['items']).toHaveLength(1);
    expect((await api.get(`${path}?after=forged`)).status).toBe(400);
  });
});

describe('people', () => {
  it('are given roles and groups, and found by them', async () => {
    await api.post('/groups', { name: 'staff', roles: ['clerk'] });
    const { sub } = await gatehouse.person({ roles: ['own'] });
    const assigned = await api.post(`/users/${sub}/assign`, {
      add: { roles: ['more'], groups: ['staff'] },
      remove: { roles: ['own'] },
    });
    expect(assigned.body).toMatchObject({ sub, roles: ['more'], groups: ['staff'] });
    const found = await api.get('/users?group=staff');
    expect((found.body['items'] as { sub: string }[]).map((one) => one.sub)).toEqual([sub]);
    const cleared = await api.patch(`/users/${sub}`, { groups: [] });
    expect(cleared.body).toMatchObject({ groups: [], roles: ['more'] });
    const unknown = await api.patch(`/users/${sub}`, { groups: ['nowhere'] });
    expect([unknown.status, pointers(unknown)]).toEqual([400, ['#/groups']]);
    const made = await api.post('/users', { email: 'new@example.com', name: 'New', groups: ['staff'] });
    expect(made.body).toMatchObject({ groups: ['staff'] });
  });
});

describe('claim tables', () => {
  const rule = { claim: ['realm_access', 'roles'], source: 'roles', into: ['id_token'] };

  it('are replaced as their admin has seen them', async () => {
    const { client_id } = await gatehouse.app();
    const path = `/claim-tables/${client_id}`;
    const empty = await api.get(path);
    expect(empty.body).toEqual({ table: client_id, rules: [] });
    const put = (rules: unknown[], etag = '*') =>
      api.call('PUT', path, { body: { rules }, headers: { 'if-match': etag } });
    const first = await put([rule], empty.headers.get('etag')!);
    expect(first.body).toEqual({ table: client_id, rules: [rule] });
    expect((await put([], empty.headers.get('etag')!)).status).toBe(412);
    const wrong = await put([rule, { ...rule, claim: ['sub'] }]);
    expect([wrong.status, pointers(wrong)]).toEqual([400, ['#/rules/1']]);
    const tables = await api.get('/claim-tables');
    expect((tables.body['items'] as { table: string }[]).map(({ table }) => table)).toContain(client_id);
    expect((await put([])).body).toEqual({ table: client_id, rules: [] });
    expect((await api.get('/claim-tables/app_nothing')).status).toBe(404);
    expect((await api.get('/claim-tables/_default')).status).toBe(200);
  });

  it('and a preview shows what they do', async () => {
    const { client_id } = await gatehouse.app({ first_party: true });
    const person = await gatehouse.person({ roles: ['reader'] });
    await api.call('PUT', `/claim-tables/${client_id}`, { body: { rules: [rule] }, headers: { 'if-match': '*' } });
    const { status, body } = await api.post('/token-preview', { client_id, person: person.email, scope: 'openid' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      sub: person.sub,
      id_token: {
        claims: { sub: person.sub, aud: client_id, realm_access: { roles: ['reader'] } },
      },
      roles: { reader: ['own'] },
    });
    const { origins } = body['id_token'] as { origins: unknown[] };
    expect(origins).toContainEqual({ claim: rule.claim, from: 'table', table: 'own', row: 1 });
    expect((await api.post('/token-preview', { client_id, person: 'nobody@example.com' })).status).toBe(404);
  });
});
