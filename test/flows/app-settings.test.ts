/** What is otherwise for one app: how long its tokens live, whom it asks, which APIs it reaches, what its ID tokens tell. */
import * as oidc from 'openid-client';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, begin, beginConsent, heading, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

let gatehouse: Running;
let api: string;
let slowApi: string;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  const made = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
  api = made.resource!;
  const slow = await gatehouse.app({ type: 'api', name: 'Slow', scope: 'notes:read', access_token_lifetime: 7200 });
  slowApi = slow.resource!;
});
afterAll(() => gatehouse.stop());
afterEach(backToNow);

const lifeOf = (jwt: string) => {
  const { exp, iat } = decodeJwt(jwt);
  return exp! - iat!;
};

describe('the lifetimes of an app’s tokens', () => {
  it('are its own, whatever form they have', async () => {
    passTime(0); // the clock stands still from here
    const app = await gatehouse.app({
      access_token_lifetime: 120,
      id_token_lifetime: 300,
      refresh_token_lifetime: 600,
    });
    const rp = await relyingParty(gatehouse, app);
    const person = await gatehouse.person();
    const opaque = await rp.signIn(person, { scope: 'openid offline_access' });
    expect([opaque.expires_in, lifeOf(opaque.id_token!)]).toEqual([120, 300]);
    passTime(119);
    expect((await userinfo(gatehouse, opaque.access_token)).status).toBe(200);
    passTime(2);
    expect((await userinfo(gatehouse, opaque.access_token)).status).toBe(401);
    passTime(400);
    const refreshed = await oidc.refreshTokenGrant(rp.config, opaque.refresh_token!);
    expect([refreshed.expires_in, lifeOf(refreshed.id_token!)]).toEqual([120, 300]);
    passTime(601);
    await expect(oidc.refreshTokenGrant(rp.config, refreshed.refresh_token!)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('are the shorter ones where an API says something too', async () => {
    const person = await gatehouse.person();
    for (const [life, resource, expected] of [
      [120, slowApi, 120],
      [undefined, slowApi, 7200],
      [3600, api, 3600],
      [undefined, api, 900],
    ] as const) {
      const rp = await relyingParty(gatehouse, await gatehouse.app({ access_token_lifetime: life }));
      const { access_token } = await rp.signIn(person, { scope: 'openid notes:read', resource });
      expect([life, resource, lifeOf(access_token)]).toEqual([life, resource, expected]);
    }
  });

  it('longer than usual are not cut short by the end of the grant', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ access_token_lifetime: 50_000 }));
    const { access_token, expires_in } = await rp.signIn(await gatehouse.person());
    passTime(49_000);
    expect([expires_in, (await userinfo(gatehouse, access_token)).status]).toEqual([50_000, 200]);
  });

  it('count for a service too, and change at once', async () => {
    const app = await gatehouse.app({ type: 'service', access_token_lifetime: 60 });
    expect((await as(gatehouse, app).clientCredentials()).body['expires_in']).toBe(60);
    await gatehouse.clients.update(app.client_id, { access_token_lifetime: null });
    passTime(2);
    expect((await as(gatehouse, app).clientCredentials()).body['expires_in']).toBe(900);
  });

  it.each([
    ['access_token_lifetime', 29],
    ['access_token_lifetime', 86_401],
    ['id_token_lifetime', 86_401],
    ['refresh_token_lifetime', 2_592_001],
    ['refresh_token_lifetime', 1.5],
  ])('stay within what is good for all: not %s %s', async (field, value) => {
    await expect(gatehouse.app({ [field]: value })).rejects.toMatchObject({ code: 'invalid_input', field });
  });
});

describe('consent', () => {
  it('is asked for at each sign-in where the app is registered so', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ consent: 'always' }));
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    await rp.signIn(person, {}, browser);
    const again = await beginConsent(rp, browser, person);
    expect(heading(again)).toBe('Acme Notes wants access');
    expect((await browser.submit(again, { decision: 'allow' })).url.searchParams.get('code')).toBeTruthy();
    const silent = await begin(rp, browser, { prompt: 'none' });
    expect(silent.url.searchParams.get('error')).toBe('interaction_required');
  });

  it('is not both skipped and asked for each time', async () => {
    await expect(gatehouse.app({ consent: 'always', first_party: true })).rejects.toMatchObject({ field: 'consent' });
  });
});

describe('the APIs of an app', () => {
  it('are those it is registered for, at sign-in and afterwards', async () => {
    const app = await gatehouse.app({ allowed_resources: [api] });
    const rp = await relyingParty(gatehouse, app);
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    const { access_token, refresh_token } = await rp.signIn(
      person,
      { scope: 'openid offline_access notes:read', resource: api },
      browser,
    );
    expect(decodeJwt(access_token).aud).toBe(api);
    const refused = await begin(rp, browser, { scope: 'openid notes:read', resource: slowApi });
    expect(refused.url.searchParams.get('error')).toBe('invalid_target');
    await gatehouse.clients.update(app.client_id, { allowed_resources: [slowApi] });
    passTime(2);
    const { status, body } = await as(gatehouse, app).refresh(refresh_token!);
    expect([status, body['error']]).toEqual([400, 'invalid_target']);
  });

  it('are those of a service too', async () => {
    const app = await gatehouse.app({ type: 'service', scope: 'notes:read', allowed_resources: [api] });
    const asApp = as(gatehouse, app);
    expect((await asApp.clientCredentials({ resource: api, scope: 'notes:read' })).status).toBe(200);
    expect((await asApp.clientCredentials({ resource: slowApi, scope: 'notes:read' })).body['error']).toBe(
      'invalid_target',
    );
  });

  it('are APIs that there are, the usual one among them', async () => {
    await expect(gatehouse.app({ allowed_resources: ['https://nobody.example'] })).rejects.toMatchObject({
      field: 'allowed_resources',
    });
    await expect(gatehouse.app({ allowed_resources: [api], default_resource: slowApi })).rejects.toMatchObject({
      field: 'default_resource',
    });
  });
});

describe('ID tokens', () => {
  it('tell only who signed in where the app wants it so; userinfo tells the rest', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ id_token_profile_claims: false }));
    const person = await gatehouse.person();
    const { id_token, access_token } = await rp.signIn(person);
    const claims = decodeJwt(id_token!);
    expect([claims.sub, claims['amr'] !== undefined]).toEqual([person.sub, true]);
    expect(Object.keys(claims)).not.toEqual(expect.arrayContaining(['email']));
    expect(Object.keys(claims)).not.toEqual(expect.arrayContaining(['name']));
    expect((await userinfo(gatehouse, access_token)).body).toMatchObject({ name: 'Ada Lovelace', email: person.email });
  });

  it('tell what the request itself names all the same', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ id_token_profile_claims: false }));
    const person = await gatehouse.person();
    const claims = JSON.stringify({ id_token: { email: null } });
    const { id_token } = await rp.signIn(person, { scope: 'openid profile', claims });
    expect(decodeJwt(id_token!)).toMatchObject({ email: person.email });
    expect(decodeJwt(id_token!)).not.toHaveProperty('name');
  });

  it('tell what was granted where nothing is said', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    expect(decodeJwt((await rp.signIn(await gatehouse.person())).id_token!)).toHaveProperty('email');
  });
});
