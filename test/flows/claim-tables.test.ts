/** In which shape apps learn of people, and the preview that says it beforehand. */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR } from '../../src/administration/principal.ts';
import type { Preview } from '../../src/administration/token-preview.ts';
import type { ClaimRule, ClaimTarget } from '../../src/roles/claim-rules.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const EVERYWHERE: ClaimTarget[] = ['id_token', 'access_token', 'userinfo'];
const HASURA = 'https://hasura.io/jwt/claims';
const RULES: ClaimRule[] = [
  { claim: ['realm_access', 'roles'], source: 'roles', into: EVERYWHERE },
  { claim: [HASURA, 'x-hasura-allowed-roles'], source: 'roles', into: EVERYWHERE },
  { claim: [HASURA, 'x-hasura-default-role'], source: 'roles', shape: 'first', into: EVERYWHERE },
  { claim: [HASURA, 'x-hasura-user-id'], source: 'profile', field: 'sub', into: EVERYWHERE },
  { claim: ['may'], source: 'permissions', shape: 'spaces', into: ['access_token'] },
  { claim: ['teams'], source: 'groups', shape: 'commas', into: ['userinfo'] },
  { claim: ['grafana'], source: 'constant', value: 'Admin', when: { group: 'ops' }, into: ['id_token'] },
  { claim: ['grafana'], source: 'constant', value: 'Viewer', into: ['id_token'] },
  { claim: ['shop'], source: 'roles', prefix: 'shop-', into: ['id_token'] },
  { claim: ['mail'], source: 'profile', field: 'email', when: { scope: 'email' }, into: ['id_token'] },
  { claim: ['only-editors'], source: 'constant', value: 1, when: { role: 'editor' }, into: ['id_token'] },
];

let gatehouse: Running;
let app: App;
let api: App;
let opaque: App;
let rp: RelyingParty;
let person: Person;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  const { roles, groups, claimTables } = gatehouse;
  await roles.create(OPERATOR, { name: 'shop-editor', permissions: ['shop:write', 'shop:read'] });
  await groups.create(OPERATOR, { name: 'ops', roles: ['shop-editor', 'operator'] });
  await groups.create(OPERATOR, { name: 'berlin' });
  app = await gatehouse.app({ first_party: true, backchannel_logout_uri: 'https://app.example/logout' });
  api = await gatehouse.app({ type: 'api', name: 'Shop API', scope: 'shop:read shop:write' });
  opaque = await gatehouse.app({ type: 'api', scope: 'o:read', access_token_format: 'opaque', resource: 'urn:o' });
  rp = await relyingParty(gatehouse, app);
  person = await gatehouse.person({ roles: ['reader'], groups: ['ops', 'berlin'] });
  await claimTables.set(OPERATOR, app.client_id, RULES);
});
afterAll(() => gatehouse.stop());

const claimsOf = ({ id_token }: { id_token?: string }) => decodeJwt(id_token!);
const HASURA_CLAIMS = (sub: string) => ({
  'x-hasura-allowed-roles': ['reader', 'operator', 'shop-editor'],
  'x-hasura-default-role': 'reader',
  'x-hasura-user-id': sub,
});

describe('a claim table', () => {
  it('gives each token what its rows say, nested, joined, by prefix and by condition', async () => {
    const tokens = await rp.signIn(person, { scope: 'openid email shop:read', resource: api.resource! });
    const roles = ['reader', 'operator', 'shop-editor'];
    const everywhere = { realm_access: { roles }, [HASURA]: HASURA_CLAIMS(person.sub) };
    const id = claimsOf(tokens);
    expect(id).toMatchObject({ ...everywhere, grafana: 'Admin', shop: ['editor'], mail: person.email });
    for (const name of ['may', 'teams', 'only-editors', 'roles']) expect(id).not.toHaveProperty(name);
    const access = decodeJwt(tokens.access_token);
    expect(access).toMatchObject({ ...everywhere, may: 'shop:read shop:write', aud: api.resource });
    expect(access).not.toHaveProperty('grafana');
    const { body } = await userinfo(gatehouse, tokens.access_token);
    expect(body).toMatchObject({ ...everywhere, teams: 'ops,berlin', sub: person.sub });
    expect((await as(gatehouse, api).introspect(tokens.access_token)).body).toMatchObject(everywhere);
  });

  it('says another thing of another person, and nothing to another app', async () => {
    const plain = await gatehouse.person();
    const id = claimsOf(await rp.signIn(plain, { scope: 'openid' }));
    expect(id).toMatchObject({ grafana: 'Viewer', shop: [], realm_access: { roles: [] } });
    expect(id[HASURA]).toEqual({ 'x-hasura-allowed-roles': [], 'x-hasura-user-id': plain.sub });
    expect(id).not.toHaveProperty('mail');
    const other = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    expect(claimsOf(await other.signIn(person, { scope: 'openid' }))).not.toHaveProperty('grafana');
  });

  it('for every app stands behind the app’s own, and tells a stranger nothing of a person but by scope', async () => {
    const general: ClaimRule[] = [
      { claim: ['grafana'], source: 'constant', value: 'General', into: ['id_token'] },
      { claim: ['team'], source: 'groups', into: ['id_token'] },
      { claim: ['scoped'], source: 'groups', when: { scope: 'groups' }, into: ['id_token'] },
    ];
    await gatehouse.claimTables.set(OPERATOR, '_default', general);
    expect(claimsOf(await rp.signIn(person, { scope: 'openid' }))).toMatchObject({
      grafana: 'Admin',
      team: ['ops', 'berlin'],
    });
    const stranger = await gatehouse.app({ dynamically_registered: true });
    const theirs = await relyingParty(gatehouse, stranger);
    const id = claimsOf(await theirs.signIn(person, { scope: 'openid groups' }));
    expect(id).toMatchObject({ grafana: 'General', scoped: ['ops', 'berlin'] });
    expect(id).not.toHaveProperty('team');
    await gatehouse.claimTables.set(OPERATOR, '_default', []);
  });

  it('gives a service its constants', async () => {
    const service = await gatehouse.app({ type: 'service', scope: 'shop:read' });
    const { claimTables } = gatehouse;
    await claimTables.set(OPERATOR, service.client_id, [
      { claim: ['tenant'], source: 'constant', value: 'acme', into: ['access_token'] },
      { claim: ['roles'], source: 'roles', into: ['access_token'] },
    ]);
    const { body } = await as(gatehouse, service).clientCredentials({ resource: api.resource!, scope: 'shop:read' });
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).toMatchObject({ tenant: 'acme', sub: service.client_id });
    expect(claims).not.toHaveProperty('roles');
    const shown = await gatehouse.preview.of(OPERATOR, {
      client_id: service.client_id,
      scope: 'shop:read',
      resource: api.resource!,
    });
    expect(shown.access_token.claims).toEqual({ ...claims, ...momentary(shown.access_token.claims) });
    expect(shown.access_token.skipped).toMatchObject([{ row: 2, why: 'person' }]);
  });

  it('goes with its app', async () => {
    const { client_id } = await gatehouse.app();
    const { claimTables, clients } = gatehouse;
    await claimTables.set(OPERATOR, client_id, [{ claim: ['a'], source: 'roles', into: ['id_token'] }]);
    await clients.delete(client_id);
    await expect(claimTables.get(client_id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await claimTables.list()).map(({ table }) => table)).not.toContain(client_id);
  });
});

/** What differs between two tokens for the same. */
const MOMENTARY = ['iat', 'exp', 'jti', 'at_hash', 'nonce', 'sid', 'auth_time'];
const momentary = (claims: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => MOMENTARY.includes(name)));
const lasting = (claims: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !MOMENTARY.includes(name)));

describe('a preview', () => {
  const requests: { name: string; scope: string; resource?: () => string }[] = [
    { name: 'for userinfo', scope: 'openid profile email roles permissions groups' },
    { name: 'for an API', scope: 'openid email roles shop:read', resource: () => api.resource! },
    { name: 'for an API alone', scope: 'openid shop:read shop:write', resource: () => api.resource! },
    { name: 'for an API with opaque tokens', scope: 'openid groups o:read offline_access', resource: () => 'urn:o' },
  ];

  it.each(requests)('$name shows exactly what the app then gets', async ({ scope, resource }) => {
    const about = resource ? { resource: resource() } : {};
    const shown = await gatehouse.preview.of(OPERATOR, {
      person: person.email,
      client_id: app.client_id,
      scope,
      ...about,
    });
    const tokens = await rp.signIn(person, { scope, ...about });
    if (tokens.id_token) {
      expect(lasting(shown.id_token!.claims)).toEqual(lasting(claimsOf(tokens)));
      const names = Object.keys(claimsOf(tokens)).filter((name) => name !== 'nonce');
      expect(Object.keys(shown.id_token!.claims).toSorted()).toEqual(names.toSorted());
    } else expect(shown.id_token).toBeNull();
    expect(shown.access_token.lifetime).toBe(tokens.expires_in);
    const isJwt = tokens.access_token.includes('.');
    expect(shown.access_token.format).toBe(isJwt ? 'jwt' : 'opaque');
    const asker = as(gatehouse, resource?.() === 'urn:o' ? opaque : app);
    const real = isJwt ? decodeJwt(tokens.access_token) : (await asker.introspect(tokens.access_token)).body;
    expect(lasting(shown.access_token.claims)).toEqual(lasting(real));
    const { status, body } = await userinfo(gatehouse, tokens.access_token);
    if (status === 200) expect(shown.userinfo!.claims).toEqual(body);
    else expect(shown.userinfo).toBeNull();
  });

  const shown = (input: object = {}): Promise<Preview> =>
    gatehouse.preview.of(OPERATOR, { person: person.sub, client_id: app.client_id, ...input });

  it('says where each claim comes from, and why a row gave nothing', async () => {
    const { id_token, roles, permissions, groups } = await shown({ scope: 'openid email roles' });
    const from = (name: string) => id_token!.origins.filter(({ claim }) => claim[0] === name);
    expect(from('iss')).toEqual([{ claim: ['iss'], from: 'protocol' }]);
    expect(from('email')).toEqual([{ claim: ['email'], from: 'scope', scope: 'email' }]);
    expect(from('grafana')).toEqual([{ claim: ['grafana'], from: 'table', table: 'own', row: 7 }]);
    expect(from(HASURA).map(({ row }) => row)).toEqual([2, 3, 4]);
    expect(new Set(id_token!.origins.map(({ claim }) => claim[0]))).toEqual(new Set(Object.keys(id_token!.claims)));
    expect(id_token!.skipped).toMatchObject([
      { row: 8, claim: ['grafana'], why: 'taken' },
      { row: 11, why: 'role' },
    ]);
    expect(roles).toEqual({ reader: ['own'], 'shop-editor': ['group:ops'], operator: ['group:ops'] });
    expect(permissions).toEqual({ 'shop:read': ['role:shop-editor'], 'shop:write': ['role:shop-editor'] });
    expect(groups).toEqual(['ops', 'berlin']);
  });

  it('of an app that encrypts, binds and signs in its own way shows the claims alike', async () => {
    const strict = await gatehouse.app({
      first_party: true,
      protocol: {
        subject_type: 'pairwise',
        dpop_bound_access_tokens: true,
        require_pushed_authorization_requests: true,
      },
    });
    const { id_token } = await shown({ client_id: strict.client_id, scope: 'openid' });
    expect(id_token!.claims['sub']).not.toBe(person.sub);
    expect(id_token!.claims['aud']).toBe(strict.client_id);
  });

  it('is refused where the app would get nothing', async () => {
    const suspended = await gatehouse.person();
    await gatehouse.access.suspend(suspended.sub);
    await expect(shown({ person: suspended.sub })).rejects.toMatchObject({ code: 'conflict' });
    await expect(shown({ person: 'nobody@example.com' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(shown({ client_id: api.client_id })).rejects.toMatchObject({ code: 'not_found' });
    await expect(shown({ resource: 'https://nowhere.example' })).rejects.toMatchObject({ code: 'invalid_input' });
    const narrow = await gatehouse.app({ scope: 'openid' });
    const more = shown({ client_id: narrow.client_id, scope: 'openid email' });
    await expect(more).rejects.toMatchObject({ code: 'invalid_input', field: 'scope' });
  });

  it('leaves nothing behind: no session, no consent, no grant, no record of a sign-in', async () => {
    const quiet = await gatehouse.person();
    const asking = await gatehouse.app();
    const before = await gatehouse.audit.search({ target: quiet.sub });
    await shown({ person: quiet.sub, client_id: asking.client_id, scope: 'openid offline_access' });
    expect((await gatehouse.audit.search({ target: quiet.sub })).items).toEqual(before.items);
    expect(await gatehouse.people.sessions(quiet.sub)).toEqual([]);
    expect(await gatehouse.people.consents(quiet.sub)).toEqual([]);
    expect((await gatehouse.people.get(quiet.sub)).last_sign_in_at).toBeNull();
  });
});
