import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, browserFor, heading } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('apps', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  const open = async (app: App, parameters: Record<string, string>) => {
    const rp = await relyingParty(gatehouse, app);
    return begin(rp, browserFor(rp), parameters);
  };

  describe('in a browser (spa)', () => {
    const origin = 'https://spa.example';
    const spa = () => gatehouse.app({ type: 'spa', redirect_uris: [`${origin}/callback`] });
    const allowed = (headers: Headers) => headers.get('access-control-allow-origin');

    it('redeem a code without a secret, from their own origin', async () => {
      const app = await spa();
      const authorized = await authorize(await relyingParty(gatehouse, app), person);
      const { callback, checks } = authorized;
      const answer = await as(gatehouse, app).token(
        {
          grant_type: 'authorization_code',
          code: callback.searchParams.get('code')!,
          redirect_uri: app.redirect_uri,
          code_verifier: String(checks.pkceCodeVerifier),
        },
        { origin },
      );
      expect([answer.status, allowed(answer.headers)]).toEqual([200, origin]);
      const info = await userinfo(gatehouse, String(answer.body['access_token']), { origin });
      expect([info.status, allowed(info.headers)]).toEqual([200, origin]);
    });

    it.each([
      'https://evil.example',
      'https://spa.example.evil.example',
      'http://spa.example',
      'null',
      'https://spa.example:444',
    ])('do not answer scripts of %s', async (foreign) => {
      const app = await spa();
      const rp = await relyingParty(gatehouse, app);
      const { access_token } = await rp.signIn(person);
      const info = await userinfo(gatehouse, access_token, { origin: foreign });
      expect([info.status, allowed(info.headers)]).toEqual([400, null]);
      const token = await as(gatehouse, app).refresh('x', {}, { origin: foreign });
      expect([token.body['error'], allowed(token.headers)]).toEqual(['invalid_request', null]);
    });

    it('are asked for in advance by the browser', async () => {
      const response = await fetch(`${gatehouse.issuer}/token`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect([response.status, allowed(response.headers)]).toEqual([204, origin]);
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    });

    it('read metadata and keys from anywhere', async () => {
      for (const path of ['/.well-known/openid-configuration', '/jwks']) {
        const { headers } = await fetch(gatehouse.issuer + path, { headers: { origin: 'https://anybody.example' } });
        expect(allowed(headers)).toBeTruthy();
      }
    });

    it('do not read pages of ours', async () => {
      const { headers } = await fetch(`${gatehouse.issuer}/`, { headers: { origin } });
      expect(allowed(headers)).toBeNull();
    });
  });

  describe('on a device (native)', () => {
    const native = (...redirect_uris: string[]) => gatehouse.app({ type: 'native', redirect_uris });

    it.each([
      ['http://127.0.0.1/callback', 'http://127.0.0.1:51004/callback'],
      ['http://[::1]/callback', 'http://[::1]:61023/callback'],
      ['http://localhost:7777/callback', 'http://localhost:8888/callback'],
    ])('that registered %s may come back to %s: the port is free', async (registered, redirect_uri) => {
      const app = await native(registered);
      const rp = await relyingParty(gatehouse, app);
      const authorized = await authorize(rp, person, { redirect_uri });
      expect(authorized.callback.href.startsWith(`${redirect_uri}?code=`)).toBe(true);
      expect((await as(gatehouse, app).redeem(authorized, { redirect_uri })).status).toBe(200);
    });

    it.each([
      'http://127.0.0.1:51004/other',
      'http://127.0.0.2:51004/callback',
      'http://127.0.0.1.evil.example/callback',
      'http://localhost:51004/callback',
      'https://127.0.0.1:51004/callback',
      'http://127.0.0.1:51004/callback?x=1',
      'http://evil@127.0.0.1:51004/callback',
      'http://127.0.0.1:80@evil.example/callback',
    ])('that registered http://127.0.0.1/callback may not come back to %s', async (redirect_uri) => {
      const page = await open(await native('http://127.0.0.1/callback'), { redirect_uri });
      expect([page.status, heading(page)]).toEqual([400, 'This app cannot take you back']);
    });

    it('come back by a scheme of their own', async () => {
      const rp = await relyingParty(gatehouse, await native('com.example.app:/callback'));
      const { callback, checks } = await authorize(rp, person);
      expect(callback.protocol).toBe('com.example.app:');
      expect((await rp.redeem(callback, checks)).access_token).toBeTypeOf('string');
    });

    it('that come back by a scheme do not answer scripts of an opaque origin', async () => {
      const app = await native('com.example.app:/callback');
      const { access_token } = await (await relyingParty(gatehouse, app)).signIn(person);
      const info = await userinfo(gatehouse, access_token, { origin: 'null' });
      expect(info.headers.get('access-control-allow-origin')).toBeNull();
    });

    it('of the web may not choose a port', async () => {
      const app = await gatehouse.app({ redirect_uris: ['http://localhost:7777/callback'] });
      const page = await open(app, { redirect_uri: 'http://localhost:8888/callback' });
      expect(page.status).toBe(400);
    });
  });

  describe('on a server (web)', () => {
    it.each([
      [
        'by HTTP Basic',
        (app: App) => ({
          headers: { authorization: `Basic ${btoa(`${app.client_id}:${app.client_secret}`)}` },
          fields: {},
        }),
      ],
      [
        'in the form',
        (app: App) => ({ headers: {}, fields: { client_id: app.client_id, client_secret: app.client_secret! } }),
      ],
    ])('prove who they are %s', async (_how, proof) => {
      const app = await gatehouse.app({ type: 'service' });
      const { headers, fields } = proof(app);
      const response = await fetch(`${gatehouse.issuer}/token`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ grant_type: 'client_credentials', ...fields }),
      });
      expect(response.status).toBe(200);
    });

    it('that do not prove who they are get invalid_client', async () => {
      const app = await gatehouse.app();
      const { status, body } = await as(gatehouse, { ...app, client_secret: undefined }).refresh('x');
      expect([status, body['error']]).toEqual([401, 'invalid_client']);
    });

    it('get the answer by form_post where they ask for it', async () => {
      const app = await gatehouse.app({ first_party: true });
      const rp = await relyingParty(gatehouse, app);
      const browser = browserFor(rp);
      await authorize(rp, person, {}, browser);
      const page = await begin(rp, browser, { response_mode: 'form_post', state: '"><script>' });
      expect(page.html.querySelector('form')?.getAttribute('action')).toBe(app.redirect_uri);
      expect(page.html.querySelector('input[name=code]')).not.toBeNull();
      const policy = page.headers.get('content-security-policy')!;
      expect(policy).toContain('form-action https:;');
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(page.html.querySelector('form button[type=submit]')?.text).toBe('Continue');
      expect(page.text).not.toContain('<script>"');
      expect(page.text).toContain('&#34;&gt;&lt;script&gt;');
    });
  });
});

describe('behind https', () => {
  it('every cookie is Secure, HttpOnly, SameSite=Lax and has its prefix', async () => {
    const gatehouse = await startGatehouse({ GATEHOUSE_ISSUER: 'https://id.example' });
    const server = createServer(gatehouse.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const app = await gatehouse.app({ type: 'spa' });
    const query = new URLSearchParams({
      client_id: app.client_id,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const first = await fetch(`${at}/auth?${query.toString()}`, { redirect: 'manual' });
    const page = await fetch(at + new URL(first.headers.get('location')!, at).pathname, {
      headers: {
        cookie: first.headers
          .getSetCookie()
          .map((line) => line.split(';')[0])
          .join('; '),
      },
    });
    const cookies = [...first.headers.getSetCookie(), ...page.headers.getSetCookie()];
    expect(cookies.length).toBeGreaterThan(2);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__(Host-gatehouse_csrf|Secure-gatehouse_(interaction|resume)(\.sig)?)=/);
      expect(cookie.toLowerCase()).toContain('; secure');
      expect(cookie.toLowerCase()).toContain('; httponly');
      expect(cookie.toLowerCase()).toContain('; samesite=lax');
    }
    expect(page.status).toBe(200);
    expect(page.headers.get('strict-transport-security')).toContain('max-age=');
    server.closeAllConnections();
    server.close();
    await gatehouse.stop();
  });
});
