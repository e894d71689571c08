/** Which requests of programs, and which refreshes, are answered without the library, so that no usual one takes the longer way unnoticed. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NewClient } from '../../src/clients/clients.ts';
import { OPERATOR } from '../../src/administration/principal.ts';
import { ask, UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside } from '../support/both-ways.ts';
import { Browser } from '../support/browser.ts';
import { askAs, signInFor, USUALLY } from '../support/chains.ts';
import type { Fields, Place } from '../support/chains.ts';
import { clientKey } from '../support/client-keys.ts';
import { basic } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { APIS, FILES, NOTES, PHOTOS, RULES } from '../support/generated-apps.ts';
import type { Asked } from '../support/generated-apps.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { watchWays } from '../support/ways.ts';
import type { Way } from '../support/ways.ts';

const first_party = true;
let gatehouse: Running;
const { wayOf } = watchWays();
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' }, '/sso');
  for (const api of APIS) await gatehouse.app(api);
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

/** Who serves looks at the signing keys twice a second; where that is too long ago, a request waits for it at the library. */
async function later(seconds: number): Promise<void> {
  passTime(seconds);
  await gatehouse.liveKeys.refresh();
}

describe('a program’s request', () => {
  const service = (input: Partial<NewClient> = {}) =>
    gatehouse.app({ type: 'service', scope: 'notes:read files:read', ...input });
  const wayFor = async (app: App, fields: Fields = [], beside: Beside = USUAL, place?: Place) =>
    (await wayOf(() => askAs(gatehouse, app, [['grant_type', 'client_credentials'], ...fields], beside, place))).way;

  it.each<[string, Fields, Partial<NewClient>]>([
    ['for nothing in particular', [], {}],
    ['for an API', [['resource', NOTES]], {}],
    [
      'for scopes of an API',
      [
        ['scope', 'notes:read'],
        ['resource', NOTES],
      ],
      {},
    ],
    ['for an API whose tokens are opaque', [['resource', FILES]], {}],
    ['for an API whose tokens are signed otherwise', [['resource', PHOTOS]], {}],
    ['for scopes of the API that it is usually for', [['scope', 'files:read']], { default_resource: FILES }],
    ['of an app with lifetimes of its own', [], { access_token_lifetime: 60 }],
  ])('%s is answered plainly', async (_what, fields, input) => {
    expect(await wayFor(await service(input), fields)).toBe('plainly');
  });

  it('with its secret among the fields is answered plainly', async () => {
    const app = await service({ protocol: { token_endpoint_auth_method: 'client_secret_post' } });
    expect(await wayFor(app, [], USUAL, 'body')).toBe('plainly');
  });

  it('with claims of a table is answered plainly', async () => {
    const app = await service();
    await gatehouse.claimTables.set(OPERATOR, app.client_id, RULES);
    await later(2);
    expect(await wayFor(app)).toBe('plainly');
  });

  it('with a field that nobody knows is the library’s, or these tests would see nothing', async () => {
    expect(await wayFor(await service(), [], UNUSUAL)).toBe('by the library');
    expect(await wayFor(await service(), [['resource', NOTES]], UNUSUAL)).toBe('by the library');
  });

  it.each<[string, Record<string, string>]>([
    ['somebody who writes its type otherwise', { 'Content-Type': 'application/x-www-form-urlencoded; boundary=x' }],
    ['somebody who says it is compressed', { 'Content-Encoding': 'identity' }],
  ])('of %s is the library’s', async (_whose, headers) => {
    const app = await service();
    const credentials = basic(app.client_id, app.client_secret!);
    const body = 'grant_type=client_credentials';
    const { way } = await wayOf(() => ask(gatehouse, { headers: { ...credentials, ...headers }, body }));
    expect(way).toBe('by the library');
  });
});

describe('a refresh', () => {
  async function chain(input: Partial<NewClient> = {}, asked: Partial<Asked> = {}) {
    const app = await gatehouse.app(input);
    const person = await gatehouse.person({ roles: ['editor'] });
    const rp = await relyingParty(gatehouse, app);
    const browser = new Browser(gatehouse.issuer);
    const tokens = await signInFor(gatehouse, rp, person, browser, { ...USUALLY, ...asked });
    let token = tokens.refresh_token!;
    return {
      app,
      async refresh(beside: Beside = USUAL, fields: Fields = [], place?: Place): Promise<Way> {
        const all: Fields = [['grant_type', 'refresh_token'], ['refresh_token', token], ...fields];
        const { told, way } = await wayOf(() => askAs(gatehouse, app, all, beside, place));
        token = told.body['refresh_token'] as string;
        return way;
      },
    };
  }

  it.each<[string, Partial<NewClient>, Partial<Asked>]>([
    ['after consent', {}, {}],
    ['after consent that left something out', {}, { declined: ['email'] }],
    ['of an app of the house', { first_party }, {}],
    ['without an ID token', { first_party }, { scope: 'offline_access email', nonce: false }],
    ['that ends with its session', { first_party, always_issue_refresh_token: true }, { scope: 'openid email' }],
    ['for an API', { first_party }, { scope: 'openid offline_access notes:read', resource: [NOTES] }],
    [
      'for an API with opaque tokens',
      { first_party },
      { scope: 'offline_access files:read', resource: [FILES], nonce: false },
    ],
    ['for the API that it is usually for', { first_party, default_resource: PHOTOS }, {}],
    ['with ID tokens that are signed otherwise', { first_party, id_token_signed_response_alg: 'ES256' }, {}],
    ['with ID tokens that tell little', { first_party, id_token_profile_claims: false }, {}],
    ['of an app with lifetimes of its own', { first_party, refresh_token_lifetime: 3600, id_token_lifetime: 60 }, {}],
    ['of an app that is told of log-outs', { first_party, backchannel_logout_uri: 'https://app.example/out' }, {}],
    ['of an app without a secret', { first_party, type: 'spa' }, {}],
    ['of an app on a device', { type: 'native' }, {}],
  ])('%s is answered plainly, time and again', async (_what, input, asked) => {
    const { refresh } = await chain(input, asked);
    expect([await refresh(), await refresh(), await refresh()]).toEqual(['plainly', 'plainly', 'plainly']);
  });

  it('after one that was the library’s is answered plainly, and so is one after a while', async () => {
    const { refresh } = await chain({ first_party });
    expect([await refresh(), await refresh(UNUSUAL), await refresh()]).toEqual([
      'plainly',
      'by the library',
      'plainly',
    ]);
    await later(3 * 86_400);
    expect(await refresh()).toBe('plainly');
  });

  it('after signing keys were rotated is answered plainly', async () => {
    const { refresh } = await chain({ first_party }, { scope: 'openid offline_access', resource: [NOTES] });
    await gatehouse.keys.rotation.compromise({});
    await later(2);
    expect(await refresh()).toBe('plainly');
  });

  it('with the secret or the id among its fields is answered plainly', async () => {
    const { refresh, app } = await chain({ first_party });
    expect(await refresh(USUAL, [], 'body')).toBe('plainly');
    expect(await refresh(USUAL, [['client_id', app.client_id]])).toBe('plainly');
  });

  const encrypting = clientKey('ECDH-ES', 'enc');
  it.each<[string, () => Promise<Partial<NewClient>>, Partial<Asked>]>([
    ['with subjects of its own', async () => ({ protocol: { subject_type: 'pairwise' } }), {}],
    [
      'with encrypted ID tokens',
      async () => ({ protocol: { jwks: (await encrypting).jwks, id_token_encrypted_response_alg: 'ECDH-ES' } }),
      {},
    ],
    ['of single claims', async () => ({}), { scope: 'openid offline_access', claims: '{"id_token":{"email":null}}' }],
    [
      'with two APIs',
      async () => ({}),
      { scope: 'openid offline_access notes:read files:read', resource: [NOTES, FILES] },
    ],
  ])('%s is the library’s', async (_what, input, asked) => {
    const { refresh } = await chain({ first_party, ...(await input()) }, asked);
    const fields: Fields = asked.resource === undefined ? [] : [['resource', NOTES]];
    expect(await refresh(USUAL, fields)).toBe('by the library');
  });

  it('with a field that nobody knows, or for less, is the library’s', async () => {
    const { refresh } = await chain({ first_party });
    expect(await refresh(UNUSUAL)).toBe('by the library');
    expect(await refresh(USUAL, [['scope', 'openid']])).toBe('by the library');
  });
});
