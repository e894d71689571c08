/** Roles as a way to more power, and claim tables as a way to say what is not so. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import type { ClaimRule } from '../../src/roles/claim-rules.ts';
import { adminApi, personToken, program, resourceOf } from '../support/admin-api.ts';
import type { Api } from '../support/admin-api.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';

let gatehouse: Running;
let helpDesk: Api;
let roleKeeper: Api;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  helpDesk = await program(gatehouse, ['users:read', 'users:write', 'roles:read']);
  roleKeeper = await program(gatehouse, ['roles:read', 'roles:write', 'users:write']);
  await gatehouse.groups.create(OPERATOR, { name: 'staff', roles: ['clerk'] });
  await gatehouse.roles.create(OPERATOR, { name: 'clerk', permissions: ['desk:open'] });
});
afterAll(() => gatehouse.stop());

const isAdminNow = async (sub: string) => (await gatehouse.accounts.get(sub)).roles.includes('admin');

describe('whoever may not make admins', () => {
  it.each([
    ['by changing roles', (api: Api, sub: string) => api.patch(`/users/${sub}`, { roles: ['admin'] })],
    ['by giving a role', (api: Api, sub: string) => api.post(`/users/${sub}/assign`, { add: { roles: ['admin'] } })],
    [
      'by giving and taking it at once',
      (api: Api, sub: string) =>
        api.post(`/users/${sub}/assign`, { add: { roles: ['admin'] }, remove: { roles: ['admin'] } }),
    ],
    [
      'by making a person',
      (api: Api) => api.post('/users', { email: 'own@example.com', name: 'Own', roles: ['admin'] }),
    ],
  ])('makes none %s', async (_, attempt) => {
    const { sub } = await gatehouse.person();
    expect((await attempt(helpDesk, sub)).status).toBe(403);
    expect((await attempt(roleKeeper, sub)).status).toBe(403);
    expect(await isAdminNow(sub)).toBe(false);
  });

  it('makes none by a group that carries the role, nor by giving another role its name', async () => {
    const { sub } = await gatehouse.person({ roles: ['clerk'], groups: ['staff'] });
    expect((await roleKeeper.post('/groups', { name: 'up', roles: ['admin'] })).status).toBe(400);
    expect((await roleKeeper.patch('/groups/staff', { roles: ['clerk', 'admin'] })).status).toBe(400);
    expect((await roleKeeper.patch('/roles/clerk', { name: 'admin' })).status).toBe(400);
    expect((await roleKeeper.post('/roles', { name: 'admin', permissions: ['all'] })).status).toBe(400);
    expect(await isAdminNow(sub)).toBe(false);
  });

  it('is let into nothing by a group that has the role all the same', async () => {
    const stored = await gatehouse.groups.get('staff');
    await gatehouse.storage.roles.update('group', { ...stored, roles: ['clerk', 'admin'] });
    const { token, sub } = await personToken(gatehouse, []);
    await gatehouse.people.assign(OPERATOR, sub, { add: { groups: ['staff'] } });
    expect((await adminApi(gatehouse, token).get('/users')).status).toBe(403);
    await gatehouse.groups.update(OPERATOR, 'staff', { roles: ['clerk'] });
  });

  it('changes no roles or groups of an admin', async () => {
    const { sub } = await gatehouse.person({ roles: ['admin'] });
    const attempts = [
      helpDesk.post(`/users/${sub}/assign`, { add: { groups: ['staff'] } }),
      helpDesk.post(`/users/${sub}/assign`, { remove: { roles: ['admin'] } }),
      helpDesk.patch(`/users/${sub}`, { groups: ['staff'] }),
    ];
    for (const { status } of await Promise.all(attempts)) expect(status).toBe(403);
    expect((await gatehouse.accounts.get(sub)).groups).toBeUndefined();
  });

  it('slips in no field that is not theirs', async () => {
    for (const more of [{ id: 'rol_x' }, { version: 9 }, { former_names: ['clerk'] }, { roles: ['a'] }])
      expect((await roleKeeper.post('/roles', { name: 'slip', ...more })).status).toBe(400);
    const { sub } = await gatehouse.person();
    const odd = { add: { roles: ['a'], claims: { email_verified: true } } };
    expect((await helpDesk.post(`/users/${sub}/assign`, odd)).status).toBe(400);
  });

  it('opens neither tables nor previews by the scopes for roles', async () => {
    const { client_id } = await gatehouse.app();
    const rules = { body: { rules: [] }, headers: { 'if-match': '*' } };
    expect((await roleKeeper.call('PUT', `/claim-tables/${client_id}`, rules)).status).toBe(403);
    expect((await roleKeeper.post('/token-preview', { client_id })).status).toBe(403);
  });
});

const PROTOCOL = (
  'iss sub aud exp nbf iat jti azp nonce auth_time acr amr at_hash c_hash s_hash sid events cnf act may_act scope client_id ' +
  'token_type active username authorization_details email_verified phone_number_verified __proto__ constructor prototype'
).split(' ');

describe('a claim table', () => {
  const row = (claim: string[], more: Partial<ClaimRule> = {}): ClaimRule => ({
    claim,
    source: 'constant',
    value: 'forged',
    into: ['id_token', 'access_token', 'userinfo'],
    ...more,
  });

  it.each(PROTOCOL)('does not take %s, nor anything inside it', async (name) => {
    const { client_id } = await gatehouse.app();
    for (const claim of [[name], [name, 'inner']])
      await expect(gatehouse.claimTables.set(OPERATOR, client_id, [row(claim)])).rejects.toMatchObject({
        code: 'invalid_input',
        field: 'rules/0',
      });
  });

  it('gives nobody another address', async () => {
    const { client_id } = await gatehouse.app();
    for (const one of [
      row(['email'], { value: 'boss@example.com' }),
      row(['email'], { source: 'profile', field: 'nickname', value: undefined }),
      row(['phone_number']),
    ])
      await expect(gatehouse.claimTables.set(OPERATOR, client_id, [one])).rejects.toMatchObject({ field: 'rules/0' });
  });

  it('that was written into the store by other ways says nothing of that either', async () => {
    const app = await gatehouse.app({ first_party: true });
    const api = await gatehouse.app({ type: 'api', scope: 'x' });
    const now = new Date().toISOString();
    const base = { id: app.client_id, name: app.client_id, created_at: now, updated_at: now, version: 1 };
    await gatehouse.storage.roles.insert('claims', { ...base, rules: PROTOCOL.map((name) => row([name])) });
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, app);
    const tokens = await rp.signIn(person, { scope: 'openid email x', resource: api.resource! });
    const all = [
      decodeJwt(tokens.id_token!),
      decodeJwt(tokens.access_token),
      (await userinfo(gatehouse, tokens.access_token)).body,
      (await as(gatehouse, api).introspect(tokens.access_token)).body,
    ];
    for (const claims of all) {
      expect(JSON.stringify(claims)).not.toContain('forged');
      expect(claims['sub']).toBe(person.sub);
    }
    expect(({} as Record<string, unknown>)['forged']).toBeUndefined();
  });

  it('opens the admin API to nobody, whatever it says of roles', async () => {
    const app = await gatehouse.app({ name: 'Tool', first_party: true, scope: 'openid users:read' });
    await gatehouse.claimTables.set(OPERATOR, app.client_id, [
      row(['roles'], { value: ['admin'] }),
      row(['permissions'], { value: ['users:read'] }),
    ]);
    const rp = await relyingParty(gatehouse, app);
    const resource = resourceOf(gatehouse);
    const { access_token } = await rp.signIn(await gatehouse.person(), { scope: 'openid users:read', resource });
    expect(decodeJwt(access_token)['roles']).toEqual(['admin']);
    expect((await adminApi(gatehouse, access_token).get('/users')).status).toBe(403);
  });
});

it('nothing that a preview shows is good for anything', async () => {
  const app = await gatehouse.app({ first_party: true });
  const { sub } = await gatehouse.person();
  const shown = await gatehouse.preview.of(OPERATOR, {
    person: sub,
    client_id: app.client_id,
    scope: 'openid offline_access',
  });
  // Claims, and never the token they stand in.
  expect(JSON.stringify(shown)).not.toMatch(/eyJ[\w-]+\.eyJ/);
  const { jti } = shown.access_token.claims;
  for (const token of [jti, shown.id_token!.claims['at_hash']]) {
    expect((await userinfo(gatehouse, String(token))).status).toBe(401);
    expect((await as(gatehouse, app).introspect(String(token))).body).toEqual({ active: false });
  }
});
