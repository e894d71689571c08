import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, backToNow, begin, browserFor, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('tokens for APIs', () => {
  let gatehouse: Running;
  let api: App;
  let other: App;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read notes:write' });
    other = await gatehouse.app({
      type: 'api',
      name: 'Mail API',
      scope: 'mail:send',
      resource: 'https://mail.example',
    });
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person({ roles: ['editor'] });
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  async function tokens(parameters: Record<string, string>, redeemWith: Record<string, string> = {}, by = rp) {
    const { callback, checks } = await authorize(by, person, parameters);
    return by.redeem(callback, checks, redeemWith);
  }
  const scopesOf = (jwt: string) => String(decodeJwt(jwt)['scope']).split(' ').sort();
  const service = async (scope?: string) =>
    as(gatehouse, await gatehouse.app({ type: 'service', name: 'Nightly', scope }));

  describe('by client credentials', () => {
    it('are JWTs of the service itself, within what it registered and the API offers', async () => {
      const nightly = await service('notes:read notes:admin mail:send');
      const { body } = await nightly.clientCredentials({ resource: api.resource!, scope: 'notes:read' });
      const keys = createRemoteJWKSet(new URL(rp.config.serverMetadata().jwks_uri!));
      const { payload } = await jwtVerify(String(body['access_token']), keys, {
        issuer: gatehouse.issuer,
        audience: api.resource!,
        typ: 'at+jwt',
      });
      expect(payload).toMatchObject({ sub: payload['client_id'], scope: 'notes:read' });
      expect(payload).not.toHaveProperty('email');
      expect(body).not.toHaveProperty('refresh_token');
      expect(body).not.toHaveProperty('id_token');
    });

    it.each(['notes:write', 'openid', 'email', 'offline_access', 'notes:admin'])(
      'never hold the scope %s, which the service or the API did not register',
      async (scope) => {
        const nightly = await service('notes:read notes:admin');
        const { body } = await nightly.clientCredentials({ resource: api.resource!, scope: `notes:read ${scope}` });
        expect(((body['scope'] ?? '') as string).split(' ')).not.toContain(scope);
      },
    );

    it('of a service that registered no scope hold none', async () => {
      const { body } = await (await service()).clientCredentials({ resource: api.resource!, scope: 'notes:read' });
      expect(body['scope']).toBeUndefined();
    });

    it('are opaque without a resource, and only for introspection by the service', async () => {
      const nightly = await service('notes:read');
      const { body } = await nightly.clientCredentials();
      const token = String(body['access_token']);
      expect(token).not.toContain('.');
      expect((await nightly.introspect(token)).body).toMatchObject({ active: true });
      expect((await userinfo(gatehouse, token)).status).toBeGreaterThanOrEqual(400);
    });

    it('end when they are revoked', async () => {
      const nightly = await service('notes:read');
      const { body } = await nightly.clientCredentials({ resource: api.resource! });
      const token = String(body['access_token']);
      expect((await as(gatehouse, api).introspect(token)).body).toMatchObject({ active: true });
      await nightly.revoke(token);
      expect((await as(gatehouse, api).introspect(token)).body).toEqual({ active: false });
    });

    it('do not open userinfo', async () => {
      const { body } = await (await service('notes:read')).clientCredentials({ resource: api.resource! });
      expect((await userinfo(gatehouse, String(body['access_token']))).status).toBe(401);
    });

    it('are refused to a web app', async () => {
      expect((await as(gatehouse, app).clientCredentials()).status).toBe(400);
    });

    it('are refused to an API', async () => {
      expect((await as(gatehouse, api).clientCredentials()).status).toBe(400);
    });
  });

  describe('by resource indicator', () => {
    it('are for the API that was asked for', async () => {
      const { access_token } = await tokens({ scope: 'openid notes:read', resource: api.resource! });
      expect(decodeJwt(access_token)).toMatchObject({ aud: api.resource, sub: person.sub });
    });

    it('hold only scopes of that API', async () => {
      const { access_token } = await tokens({ scope: 'openid notes:read mail:send', resource: api.resource! });
      expect(scopesOf(access_token)).toEqual(['notes:read', 'openid']);
    });

    it('are for the default API when none is asked for', async () => {
      const by = await relyingParty(gatehouse, await gatehouse.app({ default_resource: api.resource! }));
      const { access_token } = await tokens({ scope: 'openid notes:read' }, {}, by);
      expect(decodeJwt(access_token)['aud']).toBe(api.resource);
    });

    it('are refused for an API that nobody registered: the app hears invalid_target', async () => {
      const page = await begin(rp, browserFor(rp), { resource: 'https://unknown.example' });
      expect(page.url.searchParams.get('error')).toBe('invalid_target');
    });

    it.each(['not-a-uri', 'https://mail.example#fragment', 'https://mail.example/', 'HTTPS://mail.example'])(
      'are refused for %s, which is not exactly the identifier',
      async (resource) => {
        const page = await begin(rp, browserFor(rp), { resource });
        expect(page.url.searchParams.get('error')).toBe('invalid_target');
      },
    );

    it('are refused at the token endpoint for an API that was not authorized', async () => {
      const authorized = await authorize(rp, person, { scope: 'openid notes:read', resource: api.resource! });
      const answer = await as(gatehouse, app).redeem(authorized, { resource: other.resource! });
      expect(answer.body['error']).toBe('invalid_target');
    });

    it('for two APIs are asked for one at a time', async () => {
      const { url, checks } = await rp.request({ scope: 'openid offline_access notes:read mail:send' });
      url.searchParams.append('resource', api.resource!);
      url.searchParams.append('resource', other.resource!);
      const browser = browserFor(rp);
      const page = await browser.submit(await browser.open(url), { email: person.email, password: person.password });
      const done = await browser.submit(page, { decision: 'allow' });
      const first = await as(gatehouse, app).redeem({ callback: done.url, checks }, { resource: api.resource! });
      expect(decodeJwt(String(first.body['access_token']))).toMatchObject({ aud: api.resource });
      const refresh = String(first.body['refresh_token']);
      const second = await as(gatehouse, app).refresh(refresh, { resource: other.resource! });
      expect(decodeJwt(String(second.body['access_token']))).toMatchObject({ aud: other.resource });
      expect(String(decodeJwt(String(second.body['access_token']))['scope']).split(' ')).not.toContain('notes:read');
    });

    it('are limited to what the app registered', async () => {
      const by = await relyingParty(gatehouse, await gatehouse.app({ scope: 'openid notes:read' }));
      const { access_token } = await tokens(
        { scope: 'openid notes:read notes:write', resource: api.resource! },
        {},
        by,
      );
      expect(scopesOf(access_token)).toEqual(['notes:read', 'openid']);
    });

    it('an app that registered its scopes is told of a standard scope beyond them', async () => {
      const by = await relyingParty(gatehouse, await gatehouse.app({ scope: 'openid notes:read' }));
      const page = await begin(by, browserFor(by), { scope: 'openid email' });
      expect(page.url.searchParams.get('error')).toBe('invalid_scope');
    });

    it('carry e-mail and roles only where those scopes were granted', async () => {
      const bare = await tokens({ scope: 'openid notes:read', resource: api.resource! });
      expect(decodeJwt(bare.access_token)).not.toHaveProperty('email');
      const full = await tokens({ scope: 'openid email roles notes:read', resource: api.resource! });
      expect(decodeJwt(full.access_token)).toMatchObject({
        email: person.email,
        email_verified: true,
        roles: ['editor'],
      });
    });

    it('end after fifteen minutes', async () => {
      const { access_token } = await tokens({ resource: api.resource! });
      passTime(901);
      expect((await as(gatehouse, api).introspect(access_token)).body).toEqual({ active: false });
      expect((await userinfo(gatehouse, access_token)).status).toBe(401);
    });

    it('without openid do not open userinfo', async () => {
      const { callback, checks } = await authorize(rp, person, {
        scope: 'notes:read',
        resource: api.resource!,
        nonce: '',
      });
      const { body } = await as(gatehouse, app).redeem({ callback, checks });
      expect((await userinfo(gatehouse, String(body['access_token']))).status).toBe(403);
    });
  });

  describe('and who may ask about them', () => {
    const opaque = async () => (await tokens({ scope: 'openid email' })).access_token;
    const jwt = async () => (await tokens({ scope: 'openid notes:read', resource: api.resource! })).access_token;

    it.each([
      ['an opaque token', opaque],
      ['a JWT', jwt],
    ])('the app that %s was issued to', async (_which, make) => {
      expect((await as(gatehouse, app).introspect(await make())).body).toMatchObject({ active: true, sub: person.sub });
    });

    it('the API that a JWT is for', async () => {
      expect((await as(gatehouse, api).introspect(await jwt())).body).toMatchObject({
        active: true,
        aud: api.resource,
      });
    });

    it.each([
      ['another app about an opaque token', opaque, () => gatehouse.app()],
      ['another app about a JWT', jwt, () => gatehouse.app()],
      ['an API about an opaque token', opaque, async () => api],
      ['another API about a JWT', jwt, async () => other],
      ['a public app about a JWT', jwt, () => gatehouse.app({ type: 'spa' })],
    ])('not %s', async (_which, make, asker) => {
      expect((await as(gatehouse, await asker()).introspect(await make())).body).toEqual({ active: false });
    });

    it('not somebody with a wrong secret', async () => {
      const { status, body } = await as(gatehouse, { ...api, client_secret: 'guess' }).introspect(await jwt());
      expect([status, body['error']]).toEqual([401, 'invalid_client']);
    });

    it('a stranger may not revoke them, and hears the same as if it had', async () => {
      for (const token of [await opaque(), await jwt()]) {
        const stranger = as(gatehouse, await gatehouse.app());
        expect((await stranger.revoke(token)).status).toBe(200);
        expect((await userinfo(gatehouse, token)).status).toBe(200);
      }
    });

    it('a revocation has an answer without a body and without a type, whatever the token was', async () => {
      for (const token of [await opaque(), await jwt()]) {
        const { status, text, headers } = await as(gatehouse, app).revoke(token);
        expect([status, text]).toEqual([200, '']);
        expect(headers.get('content-type') ?? '').not.toContain('json');
      }
    });

    it('nonsense revoked is no error', async () => {
      for (const token of ['x', 'a.b.c', '%00', 'ünïcode'])
        expect((await as(gatehouse, app).revoke(token)).status).toBe(200);
    });

    it('nonsense introspected is inactive', async () => {
      for (const token of ['x', 'a.b.c', '%00', 'ünïcode'])
        expect((await as(gatehouse, app).introspect(token)).body).toEqual({ active: false });
    });

    it('an app that revokes one access token keeps its refresh token', async () => {
      const { access_token, refresh_token } = await tokens({ scope: 'openid offline_access' });
      await as(gatehouse, app).revoke(access_token);
      expect((await userinfo(gatehouse, access_token)).status).toBe(401);
      expect((await as(gatehouse, app).refresh(refresh_token!)).status).toBe(200);
    });

    it('an ID token is not an access token', async () => {
      const { id_token } = await tokens({ scope: 'openid' });
      expect((await as(gatehouse, app).introspect(id_token!)).body).toEqual({ active: false });
      expect((await userinfo(gatehouse, id_token!)).status).toBe(401);
    });
  });
});
