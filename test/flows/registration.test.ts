import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { removeUnused } from '../../src/registration/expiry.ts';
import { createLogger } from '../../src/log.ts';
import { makeCertificate } from '../support/certificates.ts';
import { clientKey, loopbackServer } from '../support/client-keys.ts';
import { as } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, beginConsent, browserFor, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { APP, asApp, manage, registerApp, tryToRegister } from '../support/registration.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('an app that registers itself (RFC 7591)', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse({
      GATEHOUSE_REGISTRATION_MODE: 'open',
      GATEHOUSE_LIMITS_REGISTRATION_ADDRESS: '1000',
    });
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(() => {
    backToNow();
    vi.unstubAllEnvs();
  });

  it('finds the endpoint in the metadata and signs people in with openid-client', async () => {
    const config = await oidc.dynamicClientRegistration(
      new URL(gatehouse.issuer),
      { ...APP, grant_types: ['authorization_code', 'refresh_token'] },
      undefined,
      { execute: [oidc.allowInsecureRequests] },
    );
    expect(config.serverMetadata()['registration_endpoint']).toBe(`${gatehouse.issuer}/register`);
    const { client_id, client_secret } = config.clientMetadata();
    const rp = await relyingParty(gatehouse, {
      client_id,
      client_secret: client_secret,
      redirect_uri: APP.redirect_uris[0]!,
      resource: null,
    });
    const tokens = await rp.signIn(person, { scope: 'openid profile email offline_access' });
    expect(tokens.claims()).toMatchObject({ sub: person.sub, aud: client_id });
    expect(tokens.refresh_token).toBeTypeOf('string');
  });

  it('is told all that was registered, the defaults included', async () => {
    const app = await registerApp(gatehouse);
    expect(app).toMatchObject({
      ...APP,
      application_type: 'web',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      scope: 'openid profile email offline_access',
      client_secret_expires_at: 0,
      registration_client_uri: `${gatehouse.issuer}/register/${app.client_id}`,
    });
    expect(app['client_id_issued_at']).toBeTypeOf('number');
    const types = { grant_types: ['authorization_code'], token_endpoint_auth_method: 'none' };
    const spa = await registerApp(gatehouse, types);
    expect(spa).toMatchObject(types);
    expect(spa.client_secret).toBeUndefined();
    const onDevice = await registerApp(gatehouse, { ...types, redirect_uris: ['http://127.0.0.1:7777/cb'] });
    expect(onDevice['application_type']).toBe('native');
  });

  it('may bring keys of its own, and prove itself by them', async () => {
    const keys = await clientKey();
    const app = await registerApp(gatehouse, { token_endpoint_auth_method: 'private_key_jwt', jwks: keys.jwks });
    expect(app.client_secret).toBeUndefined();
    const rp = await relyingParty(gatehouse, asApp(app), { auth: oidc.PrivateKeyJwt(keys) });
    expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
  });

  it('shows people that nobody has checked it, each time they are asked', async () => {
    const rp = await relyingParty(
      gatehouse,
      asApp(await registerApp(gatehouse, { grant_types: ['authorization_code', 'refresh_token'] })),
    );
    const browser = browserFor(rp);
    const page = await beginConsent(rp, browser, person);
    expect(heading(page)).toContain('Notes');
    expect(page.html.querySelector('.gh-callout--warn')?.text).toContain('Nobody here has checked Notes');
    expect((await browser.submit(page, { decision: 'allow' })).url.href).toContain('https://notes.example/callback');
    const more = await beginConsent(rp, browser, person, { scope: 'openid profile email offline_access' });
    expect(more.html.querySelector('.gh-callout--warn')?.text).toContain('notes.example');
    const known = await relyingParty(gatehouse, await gatehouse.app());
    const plain = await beginConsent(known, browserFor(known), person);
    expect(plain.text).not.toContain('Nobody here has checked');
  });

  it('is a client like all others: an admin sees it, knows where it came from, and cannot let it skip consent', async () => {
    const { client_id } = await registerApp(gatehouse);
    expect(await gatehouse.clients.get(client_id)).toMatchObject({ dynamically_registered: true, first_party: false });
    await expect(gatehouse.clients.update(client_id, { first_party: true })).rejects.toMatchObject({
      field: 'first_party',
    });
    const { items } = await gatehouse.audit.search({ target: client_id });
    expect(items).toMatchObject([
      { type: 'client_registered', actor: { kind: 'client', id: client_id }, detail: { dynamic: 'true' } },
    ]);
  });

  it('may be a page in any browser: the endpoint answers other origins', async () => {
    const response = await fetch(`${gatehouse.issuer}/register`, { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect((await manage('GET', `${gatehouse.issuer}/register`, undefined)).status).toBe(405);
  });

  it('goes when nobody used it for thirty days, and stays when somebody did', async () => {
    const [used, unused] = [await registerApp(gatehouse), await registerApp(gatehouse)];
    passTime(29 * 86_400);
    const rp = await relyingParty(gatehouse, asApp(used));
    await rp.signIn(person);
    // Its use is noted when the answer is out.
    const today = new Date().toISOString().slice(0, 10);
    await eventually(async () =>
      expect((await gatehouse.storage.registrations.find(used.client_id))?.used_at).toContain(today),
    );
    passTime(2 * 86_400);
    await removeUnused({
      store: gatehouse.storage.registrations,
      clients: gatehouse.clients,
      unusedAfter: 30 * 86_400,
      note: async () => undefined,
      log: createLogger('silent'),
    });
    expect(await gatehouse.clients.find(unused.client_id)).toBeUndefined();
    expect(await gatehouse.clients.find(used.client_id)).toBeDefined();
    expect((await manage('GET', unused.registration_client_uri, unused.registration_access_token)).status).toBe(401);
  });

  describe('manages its own record (RFC 7592)', () => {
    it('reads it, without the secret, of which only a hash is kept', async () => {
      const app = await registerApp(gatehouse);
      const { status, body } = await manage('GET', app.registration_client_uri, app.registration_access_token);
      expect(status).toBe(200);
      expect({ ...body, client_secret: app.client_secret, client_secret_expires_at: 0 }).toEqual(app);
      expect(body).not.toHaveProperty('client_secret');
    });

    it('replaces it as a whole, by a token that is good for one change', async () => {
      const app = await registerApp(gatehouse, {
        contacts: ['a@notes.example'],
        policy_uri: 'https://notes.example/p',
      });
      const uri = app.registration_client_uri;
      const next = { client_id: app.client_id, ...APP, client_name: 'Better Notes', client_secret: app.client_secret };
      const { status, body } = await manage('PUT', uri, app.registration_access_token, next);
      expect([status, body['client_name']]).toEqual([200, 'Better Notes']);
      expect(body).not.toHaveProperty('contacts');
      expect(body).not.toHaveProperty('policy_uri');
      expect(body).not.toHaveProperty('client_secret');
      expect((await manage('GET', uri, app.registration_access_token)).status).toBe(401);
      expect((await manage('GET', uri, String(body['registration_access_token']))).status).toBe(200);
      // The secret is the same.
      const rp = await relyingParty(gatehouse, asApp(app));
      expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
    });

    it('keeps what an admin has set beside it', async () => {
      const app = await registerApp(gatehouse);
      await gatehouse.clients.update(app.client_id, { default_acr_values: [], always_issue_refresh_token: true });
      await manage('PUT', app.registration_client_uri, app.registration_access_token, {
        client_id: app.client_id,
        ...APP,
      });
      expect((await gatehouse.clients.get(app.client_id)).always_issue_refresh_token).toBe(true);
    });

    it('gets a new secret where its method needs another kind', async () => {
      const app = await registerApp(gatehouse);
      const { body } = await manage('PUT', app.registration_client_uri, app.registration_access_token, {
        client_id: app.client_id,
        ...APP,
        token_endpoint_auth_method: 'client_secret_jwt',
      });
      expect(body['client_secret']).toBeTypeOf('string');
      expect(body['client_secret']).not.toBe(app.client_secret);
      const rp = await relyingParty(gatehouse, asApp(app), {
        auth: oidc.ClientSecretJwt(String(body['client_secret'])),
      });
      expect((await rp.signIn(person)).claims()?.sub).toBe(person.sub);
    });

    it('removes it, and with it its tokens and what people allowed it', async () => {
      const app = await registerApp(gatehouse, { grant_types: ['authorization_code', 'refresh_token'] });
      const rp = await relyingParty(gatehouse, asApp(app));
      const tokens = await rp.signIn(person, { scope: 'openid offline_access' });
      const { status, text } = await manage('DELETE', app.registration_client_uri, app.registration_access_token);
      expect([status, text]).toEqual([204, '']);
      passTime(2);
      expect((await as(gatehouse, asApp(app)).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_client');
      expect(await gatehouse.storage.consents.find(person.sub, app.client_id)).toBeUndefined();
    });
  });

  it('has its list of redirect URIs checked where it shares pairwise subjects', async () => {
    const { pem, keyPem } = await makeCertificate({ subject: 'CN=127.0.0.1' });
    const tls = { cert: pem, key: keyPem };
    const server = await loopbackServer(() => ({ body: JSON.stringify(['https://other.example/cb']) }), tls);
    // Nobody vouches for the certificate of a test.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const inside = await startGatehouse({
      GATEHOUSE_REGISTRATION_MODE: 'open',
      GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true',
    });
    try {
      const metadata = { ...APP, subject_type: 'pairwise', sector_identifier_uri: `${server.origin}/list` };
      const { status, body } = await tryToRegister(inside, metadata);
      expect([status, body['error']]).toEqual([400, 'invalid_client_metadata']);
      const listed = { ...metadata, redirect_uris: ['https://other.example/cb'] };
      expect((await tryToRegister(inside, listed)).status).toBe(201);
    } finally {
      await inside.stop();
      await server.stop();
    }
  });
});

describe('registration with initial access tokens', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse({
      GATEHOUSE_REGISTRATION_MODE: 'token',
      GATEHOUSE_REGISTRATION_ROTATE_TOKENS: 'false',
    });
  });
  afterAll(() => gatehouse.stop());
  afterEach(() => {
    backToNow();
    vi.unstubAllEnvs();
  });

  it('takes one, as long as it is good', async () => {
    const { initial, token } = await gatehouse.initialTokens.create({ name: 'Partners', ttl: 3600, uses: 2 });
    const without = await tryToRegister(gatehouse, APP);
    expect([without.status, without.body['error']]).toEqual([401, 'invalid_token']);
    expect(without.headers.get('www-authenticate')).toBe('Bearer realm="registration"');
    await registerApp(gatehouse, {}, token);
    // What was refused used nothing up.
    expect((await tryToRegister(gatehouse, { ...APP, redirect_uris: [] }, token)).status).toBe(400);
    await registerApp(gatehouse, {}, token);
    expect((await tryToRegister(gatehouse, APP, token)).status).toBe(401);
    expect(await gatehouse.initialTokens.list()).toMatchObject([{ id: initial.id, name: 'Partners', uses: 2 }]);
  });

  it('ends when a token expires or is revoked, and leaves the apps of it', async () => {
    const short = await gatehouse.initialTokens.create({ name: 'Short', ttl: 60 });
    const lasting = await gatehouse.initialTokens.create({ name: 'Lasting' });
    const app = await registerApp(gatehouse, {}, lasting.token);
    passTime(61);
    expect((await tryToRegister(gatehouse, APP, short.token)).status).toBe(401);
    expect(await gatehouse.initialTokens.revoke(lasting.initial.id)).toBe(true);
    expect((await tryToRegister(gatehouse, APP, lasting.token)).status).toBe(401);
    expect((await manage('GET', app.registration_client_uri, app.registration_access_token)).status).toBe(200);
  });

  it('leaves the token of a record as it is where it is configured so', async () => {
    const { token } = await gatehouse.initialTokens.create({ name: 'Steady' });
    const app = await registerApp(gatehouse, {}, token);
    const { body } = await manage('PUT', app.registration_client_uri, app.registration_access_token, {
      client_id: app.client_id,
      ...APP,
    });
    expect(body['registration_access_token']).toBe(app.registration_access_token);
  });
});

describe('registration that is off, as it is by default', () => {
  it('is neither offered nor there', async () => {
    const gatehouse = await startGatehouse();
    try {
      const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as object;
      expect(metadata).not.toHaveProperty('registration_endpoint');
      expect((await tryToRegister(gatehouse, APP)).status).toBe(404);
    } finally {
      await gatehouse.stop();
    }
  });
});
