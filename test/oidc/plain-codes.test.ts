/** Which exchanges of codes are answered without the library, so that no usual one takes the longer way unnoticed. */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewClient } from '../../src/clients/clients.ts';
import { UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside, Told } from '../support/both-ways.ts';
import { Browser } from '../support/browser.ts';
import { askAs, codeFor, signInFor, USUALLY } from '../support/chains.ts';
import type { Fields, Place } from '../support/chains.ts';
import { clientKey } from '../support/client-keys.ts';
import { exchangeOf } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { APIS, FILES, NOTES, PHOTOS } from '../support/generated-apps.ts';
import type { Asked } from '../support/generated-apps.ts';
import { authorize } from '../support/journey.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';
import { watchWays } from '../support/ways.ts';

const first_party = true;
const { wayOf, of } = watchWays();
let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' }, '/sso');
  for (const api of APIS) await gatehouse.app(api);
});
afterAll(() => gatehouse.stop());

describe('an exchange of a code', () => {
  const encrypting = clientKey('ECDH-ES', 'enc');

  /** Somebody signs in, and the app sends the code. */
  async function exchange(
    input: Partial<NewClient> = {},
    asked: Partial<Asked> = {},
    { beside = USUAL, fields = [], place }: { beside?: Beside; fields?: Fields; place?: Place } = {},
  ) {
    const app = await gatehouse.app(input);
    const rp = await relyingParty(gatehouse, app);
    const person = await gatehouse.person({ roles: ['editor'] });
    const authorized = await codeFor(rp, person, new Browser(gatehouse.issuer), { ...USUALLY, ...asked });
    const all: Fields = [...Object.entries(exchangeOf(app, authorized)), ...fields];
    await gatehouse.liveKeys.refresh(); // lest a busy machine take the longer way
    return wayOf(() => askAs(gatehouse, app, all, beside, place));
  }
  const tokensIn = ({ body }: Told) => Object.keys(body).filter((name) => name.endsWith('_token'));
  const ALL = ['access_token', 'id_token', 'refresh_token'];
  const WITHOUT_REFRESH = ['access_token', 'id_token'];
  const WITHOUT_ID = ['access_token', 'refresh_token'];

  it.each<[string, Partial<NewClient>, Partial<Asked>, string[]]>([
    ['after consent', {}, {}, ALL],
    ['after consent that left something out', {}, { declined: ['email'] }, ALL],
    ['after consent that left staying signed in out', {}, { declined: ['offline_access'] }, WITHOUT_REFRESH],
    ['of an app of the house', { first_party }, {}, ALL],
    ['without an ID token', { first_party }, { scope: 'offline_access email', nonce: false }, WITHOUT_ID],
    ['without a refresh token', { first_party }, { scope: 'openid email' }, WITHOUT_REFRESH],
    ['without either', { first_party }, { scope: 'email', nonce: false }, ['access_token']],
    [
      'of an app that may not refresh',
      { first_party, protocol: { grant_types: ['authorization_code'] } },
      { scope: 'openid email' },
      WITHOUT_REFRESH,
    ],
    [
      'for tokens that end with their session',
      { first_party, always_issue_refresh_token: true },
      { scope: 'openid email' },
      ALL,
    ],
    ['after consent for an API', {}, { scope: 'openid offline_access notes:read', resource: [NOTES] }, ALL],
    ['for an API', { first_party }, { scope: 'openid offline_access notes:read', resource: [NOTES] }, ALL],
    [
      'for an API with opaque tokens',
      { first_party },
      { scope: 'openid files:read', resource: [FILES] },
      WITHOUT_REFRESH,
    ],
    ['for the API that it is usually for', { first_party, default_resource: PHOTOS }, {}, ALL],
    ['with an ID token that is signed otherwise', { first_party, id_token_signed_response_alg: 'ES256' }, {}, ALL],
    ['with an ID token that tells little', { first_party, id_token_profile_claims: false }, {}, ALL],
    ['with claims that its scopes give anyway', { first_party }, { claims: '{"id_token":{"email":null}}' }, ALL],
    [
      'of an app with lifetimes of its own',
      { first_party, refresh_token_lifetime: 3600, id_token_lifetime: 60 },
      {},
      ALL,
    ],
    ['of an app that is told of log-outs', { first_party, backchannel_logout_uri: 'https://app.example/out' }, {}, ALL],
    ['of an app without a secret', { first_party, type: 'spa' }, {}, ALL],
    ['of an app on a device', { type: 'native' }, {}, ALL],
  ])('%s is answered plainly', async (_what, input, asked, tokens) => {
    const { told, way } = await exchange(input, asked);
    expect([way, tokensIn(told).sort()]).toEqual(['plainly', tokens]);
  });

  it('with the secret or the id among its fields is answered plainly', async () => {
    const app: Partial<NewClient> = { first_party, protocol: { token_endpoint_auth_method: 'client_secret_post' } };
    expect((await exchange(app, {}, { place: 'body' })).way).toBe('plainly');
    const { client_id, ...named } = await gatehouse.app({ first_party });
    const authorized = await authorize(
      await relyingParty(gatehouse, { client_id, ...named }),
      await gatehouse.person(),
    );
    const all: Fields = [...Object.entries(exchangeOf({ client_id, ...named }, authorized)), ['client_id', client_id]];
    expect((await wayOf(() => askAs(gatehouse, { client_id, ...named }, all, USUAL))).way).toBe('plainly');
  });

  it('is followed by plain refreshes', async () => {
    const app = await gatehouse.app({ type: 'spa' });
    const rp = await relyingParty(gatehouse, app);
    const tokens = await signInFor(gatehouse, rp, await gatehouse.person(), new Browser(gatehouse.issuer), USUALLY);
    const fields: Fields = [
      ['grant_type', 'refresh_token'],
      ['refresh_token', tokens.refresh_token!],
    ];
    expect((await wayOf(() => askAs(gatehouse, app, fields, USUAL))).way).toBe('plainly');
  });

  it.each<[string, () => Promise<Partial<NewClient>>, Partial<Asked>, Fields]>([
    ['for which its API is named once more', async () => ({}), { resource: [NOTES] }, [['resource', NOTES]]],
    [
      'with two APIs, of which one is usual',
      async () => ({ default_resource: NOTES }),
      { resource: [NOTES, FILES] },
      [],
    ],
    ['with single claims', async () => ({}), { scope: 'openid', claims: '{"id_token":{"email":null}}' }, []],
    ['of a login of a certain age', async () => ({}), { max_age: true }, []],
    ['with subjects of its own', async () => ({ protocol: { subject_type: 'pairwise' } }), {}, []],
    [
      'with an encrypted ID token',
      async () => ({ protocol: { jwks: (await encrypting).jwks, id_token_encrypted_response_alg: 'ECDH-ES' } }),
      {},
      [],
    ],
    ['with a scope', async () => ({}), {}, [['scope', 'openid']]],
  ])('%s is the library’s', async (_what, input, asked, fields) => {
    const { way } = await exchange({ first_party, ...(await input()) }, asked, { fields });
    expect(way).toBe('by the library');
  });

  it('with a field that nobody knows is the library’s', async () => {
    expect((await exchange({ first_party }, {}, { beside: UNUSUAL })).way).toBe('by the library');
    expect((await exchange({}, { resource: [NOTES] }, { beside: UNUSUAL })).way).toBe('by the library');
  });

  it('without the one address that its app has is the library’s', async () => {
    const app = await gatehouse.app({ first_party });
    const authorized = await authorize(await relyingParty(gatehouse, app), await gatehouse.person());
    const { redirect_uri, ...fields } = exchangeOf(app, authorized);
    expect(redirect_uri).toBe(app.redirect_uri);
    expect((await wayOf(() => askAs(gatehouse, app, Object.entries(fields), USUAL))).way).toBe('by the library');
  });

  it('without PKCE, where that is spared, is the library’s', async () => {
    const lax = await startGatehouse({ GATEHOUSE_OAUTH_REQUIRE_PKCE: 'false' });
    const app = await lax.app({ first_party });
    const rp = await relyingParty(lax, app);
    const { url } = await rp.request();
    for (const name of ['code_challenge', 'code_challenge_method']) url.searchParams.delete(name);
    const callback = await clickThrough(new Browser(lax.issuer), url, await lax.person());
    const { code_verifier, ...fields } = exchangeOf(app, { callback, checks: {} });
    expect(code_verifier).toBe('undefined');
    expect((await wayOf(() => askAs(lax, app, Object.entries(fields), USUAL))).way).toBe('by the library');
    await lax.stop();
  });

  it('that is bound to a key is the library’s', async () => {
    const app = await gatehouse.app({ first_party });
    const rp = await relyingParty(gatehouse, app);
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair('ES256'));
    const { callback, checks } = await authorize(rp, await gatehouse.person());
    const send = () => oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    expect(await of(send)).toBe('by the library');
  });
});
