/** Roles with permissions, groups that carry roles, and when apps learn of it. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { passTime, backToNow } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const SCOPE = 'openid roles permissions groups offline_access';

let gatehouse: Running;
let app: App;
let api: App;
let rp: RelyingParty;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  app = await gatehouse.app({ first_party: true });
  api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
  rp = await relyingParty(gatehouse, app);
  const { roles, groups } = gatehouse;
  await roles.create(OPERATOR, { name: 'writer', permissions: ['notes:write', 'notes:read'] });
  await roles.create(OPERATOR, { name: 'reader', description: 'Reads', permissions: ['notes:read'] });
  await groups.create(OPERATOR, { name: 'newsroom', roles: ['writer', 'unrecorded'] });
});
afterAll(() => gatehouse.stop());

const claimsOf = ({ id_token }: { id_token?: string }) => decodeJwt(id_token!);
const learned = async (person: Person, scope = SCOPE) => claimsOf(await rp.signIn(person, { scope }));

describe('what somebody may do', () => {
  it('is of their own roles and those of their groups, in ID token, access token and userinfo alike', async () => {
    const person = await gatehouse.person({ roles: ['reader', 'plain'] });
    await gatehouse.people.assign(OPERATOR, person.sub, { add: { groups: ['newsroom'] } });
    const expected = {
      roles: ['reader', 'plain', 'unrecorded', 'writer'],
      groups: ['newsroom'],
      permissions: ['notes:read', 'notes:write'],
    };
    const tokens = await rp.signIn(person, { scope: `${SCOPE} notes:read`, resource: api.resource! });
    expect(claimsOf(tokens)).toMatchObject(expected);
    expect(decodeJwt(tokens.access_token)).toMatchObject(expected);
    expect((await userinfo(gatehouse, tokens.access_token)).body).toMatchObject(expected);
    const refreshed = await as(gatehouse, app).refresh(tokens.refresh_token!);
    expect(decodeJwt(String(refreshed.body['access_token']))).toMatchObject(expected);
  });

  it('is told by scope: of who has nothing, empty lists; without the scopes, nothing', async () => {
    const person = await gatehouse.person();
    expect(await learned(person)).toMatchObject({ roles: [], groups: [], permissions: [] });
    const claims = await learned(person, 'openid');
    for (const name of ['roles', 'groups', 'permissions']) expect(claims).not.toHaveProperty(name);
  });

  it('is asked again at each refresh', async () => {
    const person = await gatehouse.person({ roles: ['reader'] });
    const tokens = await rp.signIn(person, { scope: SCOPE });
    await gatehouse.people.edit(OPERATOR, person.sub, { roles: ['writer'] });
    const second = await as(gatehouse, app).refresh(tokens.refresh_token!);
    expect(claimsOf(second.body)).toMatchObject({ roles: ['writer'], permissions: ['notes:read', 'notes:write'] });
    await gatehouse.roles.update(OPERATOR, 'writer', { permissions: ['notes:write'] });
    const third = await as(gatehouse, app).refresh(String(second.body['refresh_token']));
    expect(claimsOf(third.body)).toMatchObject({ permissions: ['notes:write'] });
    await gatehouse.roles.update(OPERATOR, 'writer', { permissions: ['notes:write', 'notes:read'] });
  });
});

describe('a role', () => {
  it('of another name is still that of everybody who has it, wherever it is named', async () => {
    const { roles, groups, people, claimTables } = gatehouse;
    await roles.create(OPERATOR, { name: 'old-name', permissions: ['thing:do'] });
    await groups.create(OPERATOR, { name: 'carriers', roles: ['old-name'] });
    const own = await gatehouse.person({ roles: ['old-name', 'plain'] });
    const grouped = await gatehouse.person({ groups: ['carriers'] });
    const when = { role: 'old-name' };
    await claimTables.set(OPERATOR, app.client_id, [
      { claim: ['special'], source: 'constant', value: true, when, into: ['id_token'] },
    ]);
    const renamed = await roles.update(OPERATOR, 'old-name', { name: 'new-name' });
    expect(renamed).toMatchObject({ name: 'new-name', permissions: ['thing:do'], former_names: [] });
    expect((await people.get(own.sub)).roles.toSorted()).toEqual(['new-name', 'plain']);
    expect((await groups.get('carriers')).roles).toEqual(['new-name']);
    expect(await learned(own)).toMatchObject({ permissions: ['thing:do'], special: true });
    expect(await learned(grouped)).toMatchObject({ roles: ['new-name'], permissions: ['thing:do'], special: true });
    await expect(roles.get('old-name')).rejects.toMatchObject({ code: 'not_found' });
    await claimTables.set(OPERATOR, app.client_id, []);
  });

  it('whose change of name ended half-way is right meanwhile, and the change is finished later', async () => {
    const { roles, storage, people } = gatehouse;
    const made = await roles.create(OPERATOR, { name: 'half-1', permissions: ['half:do'] });
    const person = await gatehouse.person({ roles: ['half-1'] });
    await storage.roles.update('role', { ...made, name: 'half-2', former_names: ['half-1'] });
    passTime(1);
    expect(await learned(person)).toMatchObject({ roles: ['half-2'], permissions: ['half:do'] });
    backToNow();
    await expect(roles.create(OPERATOR, { name: 'half-1' })).rejects.toMatchObject({ code: 'duplicate' });
    await roles.finish();
    expect((await people.get(person.sub)).roles).toEqual(['half-2']);
    expect(await roles.get('half-2')).toMatchObject({ former_names: [] });
  });

  it('that was deleted is nobody’s, nor is one of the same name that comes later', async () => {
    const { roles, groups, people } = gatehouse;
    await roles.create(OPERATOR, { name: 'gone', permissions: ['gone:do'] });
    await groups.create(OPERATOR, { name: 'with-gone', roles: ['gone', 'reader'] });
    const own = await gatehouse.person({ roles: ['gone', 'reader'] });
    const grouped = await gatehouse.person({ groups: ['with-gone'] });
    await roles.remove(OPERATOR, 'gone');
    expect((await people.get(own.sub)).roles).toEqual(['reader']);
    expect((await groups.get('with-gone')).roles).toEqual(['reader']);
    await roles.create(OPERATOR, { name: 'gone', permissions: ['gone:do'] });
    for (const person of [own, grouped])
      expect(await learned(person)).toMatchObject({ roles: ['reader'], permissions: ['notes:read'] });
  });

  it('is changed as its admin has seen it, or not at all', async () => {
    const { roles } = gatehouse;
    const first = await roles.create(OPERATOR, { name: 'seen' });
    const second = await roles.update(OPERATOR, 'seen', { description: 'Second' }, first.version);
    const late = roles.update(OPERATOR, 'seen', { description: 'Late' }, first.version);
    await expect(late).rejects.toMatchObject({ code: 'stale' });
    expect(second).toMatchObject({ description: 'Second', version: 2 });
  });
});

describe('a group', () => {
  it('of another name keeps its people; that was deleted leaves them without it', async () => {
    const { groups, people } = gatehouse;
    await groups.create(OPERATOR, { name: 'team-1', roles: ['reader'] });
    const person = await gatehouse.person({ groups: ['team-1'] });
    await groups.update(OPERATOR, 'team-1', { name: 'Équipe' });
    expect(await learned(person)).toMatchObject({ groups: ['Équipe'], roles: ['reader'] });
    expect((await people.search({ group: 'Équipe' })).items.map(({ id }) => id)).toEqual([person.sub]);
    await groups.remove(OPERATOR, 'Équipe');
    expect((await people.get(person.sub)).groups).toEqual([]);
    expect(await learned(person)).toMatchObject({ groups: [], roles: [] });
  });

  it('that there is not takes nobody in', async () => {
    const { sub } = await gatehouse.person();
    const added = gatehouse.people.assign(OPERATOR, sub, { add: { groups: ['nowhere'] } });
    await expect(added).rejects.toMatchObject({ code: 'invalid_input', field: 'groups' });
  });

  it('may bring a role that takes a second factor', async () => {
    const strict = await startGatehouse({ GATEHOUSE_FACTORS_REQUIRED_ROLES: 'treasurer' });
    try {
      await strict.groups.create(OPERATOR, { name: 'finance', roles: ['treasurer'] });
      const [one, other] = [await strict.person(), await strict.person({ groups: ['finance'] })];
      const party = await relyingParty(strict, await strict.app({ first_party: true }));
      expect((await party.signIn(one)).id_token).toBeDefined();
      await expect(party.signIn(other)).rejects.toThrow('the journey ended');
    } finally {
      await strict.stop();
    }
  });
});

it('what was given and taken away at once is all there', async () => {
  const { people, groups } = gatehouse;
  const names = Array.from({ length: 8 }, (_, index) => `at-once-${index}`);
  for (const name of names) await groups.create(OPERATOR, { name });
  const { sub } = await gatehouse.person({ roles: ['reader'] });
  for (let index = 0; index < names.length; index += 4)
    await Promise.all(
      names.slice(index, index + 4).map((name) => people.assign(OPERATOR, sub, { add: { groups: [name] } })),
    );
  expect((await people.get(sub)).groups?.toSorted()).toEqual(names);
});

it('what was changed is recorded', async () => {
  const { items } = await gatehouse.audit.search({ type: 'role_changed', limit: 100 });
  const renamed = items.find(({ target }) => target.id === 'new-name');
  expect(renamed).toMatchObject({ target: { kind: 'role' }, detail: { name: '"old-name" → "new-name"' } });
  const deleted = await gatehouse.audit.search({ type: 'role_deleted' });
  expect(deleted.items[0]).toMatchObject({ target: { id: 'gone' }, detail: { people: '1' } });
});
