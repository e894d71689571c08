import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, beginConsent, heading } from '../support/journey.ts';
import type { App } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const REGISTERED = 'https://app.example/cb/callback?tenant=1';
const EVIL = 'https://evil.example/';

describe('an authorization request', () => {
  let gatehouse: Running;
  let app: App;
  let rp: RelyingParty;
  let signedIn: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app({ redirect_uris: [REGISTERED], first_party: true });
    rp = await relyingParty(gatehouse, app);
    signedIn = new Browser(gatehouse.issuer);
    await authorize(rp, await gatehouse.person(), {}, signedIn);
  });
  afterAll(() => gatehouse.stop());

  /** Opened by a browser that is signed in, where only the request itself can stop it. */
  async function request(change: (query: URLSearchParams) => void): Promise<Page> {
    const { url } = await rp.request();
    change(url.searchParams);
    return signedIn.open(url);
  }
  const withParameter = (name: string, value: string | null) =>
    request((query) => (value === null ? query.delete(name) : query.set(name, value)));
  const staysHere = (page: Page) => {
    expect(page.url.origin).toBe(gatehouse.issuer);
    expect([page.status, page.headers.get('location'), page.headers.get('refresh')]).toEqual([400, null, null]);
  };

  it('of the app as registered passes', async () => {
    expect((await request(() => undefined)).url.searchParams.has('code')).toBe(true);
  });

  it.each([
    'https://app.example/cb/callback',
    'https://app.example/cb/callback/?tenant=1',
    'https://app.example/cb/callback?tenant=2',
    'https://app.example/cb/callback?tenant=1&x=1',
    'https://app.example/cb/callback?tenant=1#',
    'https://app.example/cb/callback?tenant=1#fragment',
    'https://app.example/cb/Callback?tenant=1',
    'https://APP.example/cb/callback?tenant=1',
    'HTTPS://app.example/cb/callback?tenant=1',
    'http://app.example/cb/callback?tenant=1',
    'https://app.example:443/cb/callback?tenant=1',
    'https://app.example:8443/cb/callback?tenant=1',
    'https://app.example./cb/callback?tenant=1',
    'https://www.app.example/cb/callback?tenant=1',
    'https://app.example.evil.example/cb/callback?tenant=1',
    'https://app.example@evil.example/cb/callback?tenant=1',
    'https://user@app.example/cb/callback?tenant=1',
    'https://app.example/cb/../cb/callback?tenant=1',
    'https://app.example/cb/../../evil?tenant=1',
    'https://app.example/cb/%63allback?tenant=1',
    'https://app.example/cb/callback%3Ftenant=1',
    'https://app.example/cb/callback?tenant=%31',
    'https://app.example\\cb/callback?tenant=1',
    ' https://app.example/cb/callback?tenant=1',
    'https://app.example/cb/callback?tenant=1 ',
    'https://app.example/cb/callback?tenant=1\n',
    'https://app.example/cb/callback?tenant=1\u0000',
    '//app.example/cb/callback?tenant=1',
    '/cb/callback?tenant=1',
    'javascript:alert(1)',
    'data:text/html,hello',
    EVIL,
    'null',
    '*',
    'https:/app.example/cb/callback?tenant=1',
    'https:app.example/cb/callback?tenant=1',
    'https:///app.example/cb/callback?tenant=1',
    'https:\\\\app.example\\cb\\callback?tenant=1',
    'https://app.example/cb//callback?tenant=1',
    'https://app.example//cb/callback?tenant=1',
    'https://app.example/./cb/callback?tenant=1',
    'https://app.example/cb/%2e%2e/cb/callback?tenant=1',
    'https://app.example/cb/..%2f..%2fevil?tenant=1',
    'https://app.example/cb/%252e%252e/evil?tenant=1',
    'https://app.example/cb/callback;x=1?tenant=1',
    'https://app.example/cb/callback%00?tenant=1',
    'https://app.example/cb/callback%0d%0aLocation:%20https://evil.example/?tenant=1',
    'https://app.example/cb/callback%20?tenant=1',
    'https://app.example%2eevil.example/cb/callback?tenant=1',
    'https://app.example%2f@evil.example/cb/callback?tenant=1',
    'https://app.example%40evil.example/cb/callback?tenant=1',
    'https://app.example%23@evil.example/cb/callback?tenant=1',
    'https://app.example#@evil.example/cb/callback?tenant=1',
    'https://app.example?@evil.example/cb/callback?tenant=1',
    'https://evil.example\\@app.example/cb/callback?tenant=1',
    'https://evil.example/https://app.example/cb/callback?tenant=1',
    'https://evil.example?https://app.example/cb/callback?tenant=1',
    'https://evil.example#https://app.example/cb/callback?tenant=1',
    'https://\uff41pp.example/cb/callback?tenant=1',
    'https://\u0430pp.example/cb/callback?tenant=1',
    'https://xn--pp-7ka.example/cb/callback?tenant=1',
    'https://app\u3002example/cb/callback?tenant=1',
    'https://app.example\u2024evil.example/cb/callback?tenant=1',
    'https://app.ex\u00ADample/cb/callback?tenant=1',
    'https://app.example\t/cb/callback?tenant=1',
    'https://app.example:@evil.example/cb/callback?tenant=1',
    'https://app.example:0443/cb/callback?tenant=1',
    'https://app.example:/cb/callback?tenant=1',
    'https://app.example/cb/callback?Tenant=1',
    'https://app.example/cb/callback?tenant=1&tenant=1',
    'https://app.example/cb/callback?tenant=1&',
    'https://app.example/cb/callback?&tenant=1',
    'https://app.example/cb/callback??tenant=1',
    'https://app.example/cb/callback?tenant=1%26x=1',
    'https://app.example/cb/callback?tenant=1;x=1',
    'https://localhost/cb/callback?tenant=1',
    'http://127.0.0.1/cb/callback?tenant=1',
    'ftp://app.example/cb/callback?tenant=1',
    'wss://app.example/cb/callback?tenant=1',
    'blob:https://app.example/cb/callback?tenant=1',
    'view-source:https://app.example/cb/callback?tenant=1',
    'file:///cb/callback?tenant=1',
    'vbscript:msgbox(1)',
    'about:blank',
    'com.example.app:/cb/callback?tenant=1',
    'https://app.example/cb/callback?tenant=1,https://evil.example/',
    'https://app.example/cb/callback?tenant=1 https://evil.example/',
    '["https://app.example/cb/callback?tenant=1"]',
  ])('with the redirect_uri %j goes nowhere', async (redirect_uri) => {
    const page = await withParameter('redirect_uri', redirect_uri);
    staysHere(page);
    expect(page.text).not.toContain(EVIL);
  });

  it('without a redirect_uri goes nowhere else than to the registered one', async () => {
    const page = await withParameter('redirect_uri', null);
    expect([gatehouse.issuer, 'https://app.example']).toContain(page.url.origin);
  });

  it('with two client_ids goes nowhere', async () => {
    staysHere(await request((query) => query.append('client_id', 'other')));
  });

  it.each([
    (query: URLSearchParams) => query.append('redirect_uri', EVIL),
    (query: URLSearchParams) => query.set('redirect_uri', `${REGISTERED}&redirect_uri=${EVIL}`),
  ])('with two redirect_uris gives no code to either', async (change) => {
    const page = await request(change);
    expect(page.url.searchParams.has('code')).toBe(false);
    expect(page.url.host).not.toBe('evil.example');
  });

  it.each(['state', 'scope', 'nonce', 'response_type', 'code_challenge', 'prompt', 'login_hint', 'response_mode'])(
    'with %s twice is refused and gives no code',
    async (name) => {
      const page = await request((query) => {
        query.append(name, 'one');
        query.append(name, 'two');
      });
      expect(page.url.searchParams.has('code')).toBe(false);
      expect(page.status === 400 || page.url.searchParams.get('error') === 'invalid_request').toBe(true);
    },
  );

  it.each(['', 'nobody', 'a'.repeat(5000), '\u0000', '__proto__', 'constructor', '%', "' OR 1=1", '{"$gt":""}'])(
    'of the unknown client %j gets a page',
    async (client_id) => {
      const page = await withParameter('client_id', client_id);
      staysHere(page);
      expect(heading(page)).not.toBe('');
    },
  );

  it.each([
    ['without a challenge', 'code_challenge', null, 'invalid_request'],
    ['with a plain challenge', 'code_challenge_method', 'plain', 'invalid_request'],
    ['with a challenge of no method, which would be plain', 'code_challenge_method', null, 'invalid_request'],
    ['with a challenge that is no SHA-256', 'code_challenge', 'short', 'invalid_request'],
    ['for a token', 'response_type', 'token', 'unsupported_response_type'],
    ['for an ID token', 'response_type', 'id_token', 'unsupported_response_type'],
    ['for a hybrid', 'response_type', 'code id_token', 'unsupported_response_type'],
    ['for nothing', 'response_type', 'none', 'unsupported_response_type'],
    ['with a request object', 'request', 'eyJhbGciOiJub25lIn0.e30.', 'invalid_request_object'],
    ['with a request_uri', 'request_uri', 'https://evil.example/request', null],
    ['with claims', 'claims', '{"userinfo":{"email":{"essential":true}}}', null],
    ['with prompt=none among others', 'prompt', 'none login', 'invalid_request'],
    ['with an unknown prompt', 'prompt', 'nonsense', 'invalid_request'],
    ['with a negative max_age', 'max_age', '-1', 'invalid_request'],
    ['with a max_age of text', 'max_age', 'soon', 'invalid_request'],
    ['with a forged id_token_hint', 'id_token_hint', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.', 'invalid_request'],
    ['with an unknown response_mode', 'response_mode', 'web_message', 'unsupported_response_mode'],
    ['with a scope of control characters', 'scope', 'openid \u0001', 'invalid_scope'],
    ['with a registration', 'registration', '{"redirect_uris":["https://evil.example"]}', 'registration_not_supported'],
  ])('%s gets no more than it should', async (_what, name, value, error) => {
    const page = await withParameter(name, value);
    const told = new URLSearchParams(page.url.hash.slice(1) || page.url.search);
    if (error !== null) expect(told.get('error') ?? `page ${page.status}`).toBe(error);
    expect(page.url.href).not.toContain('id_token=');
    expect(page.url.href).not.toContain('access_token=');
    if (page.status === 0) expect(page.url.origin).toBe('https://app.example');
  });

  it('that is refused tells the app its state and our issuer', async () => {
    const page = await request((query) => {
      query.set('scope', 'openid \u0001');
      query.set('state', 'a b&c');
    });
    expect(Object.fromEntries(page.url.searchParams)).toMatchObject({
      state: 'a b&c',
      iss: gatehouse.issuer,
      tenant: '1',
    });
  });

  it('with a resource that fetches nothing is invalid_target', async () => {
    const page = await withParameter('resource', 'http://169.254.169.254/latest/meta-data');
    expect(page.url.searchParams.get('error')).toBe('invalid_target');
  });

  it('of an app without consent cannot skip it by parameters', async () => {
    const strict = await relyingParty(gatehouse, await gatehouse.app());
    const person = await gatehouse.person();
    const page = await beginConsent(strict, new Browser(gatehouse.issuer), person, {
      first_party: 'true',
      consent: 'true',
      idp_hint: 'x',
    });
    expect(heading(page)).toBe('Acme Notes wants access');
  });

  it.each(['return_to', 'returnTo', 'next', 'url', 'redirect', 'post_logout_redirect_uri', 'target_link_uri', 'iss'])(
    'is no open redirect by %s',
    async (name) => {
      for (const path of [
        '/',
        '/auth',
        '/session/end',
        '/session/end/success',
        '/interaction/x',
        '/interaction/x/restart',
      ]) {
        const page = await new Browser(gatehouse.issuer).open(`${path}?${name}=${encodeURIComponent(EVIL)}`);
        expect(page.url.origin).toBe(gatehouse.issuer);
        expect(page.text).not.toContain(`"${EVIL}`);
      }
    },
  );

  it.each(['//evil.example', '/\\evil.example', '/.//evil.example', '/interaction//evil.example'])(
    'is no open redirect by the path %s',
    async (path) => {
      const response = await fetch(gatehouse.issuer + path, { redirect: 'manual' });
      expect(response.headers.get('location')).toBeNull();
      expect(response.status).toBeGreaterThanOrEqual(400);
    },
  );
});
