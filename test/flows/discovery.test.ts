import * as oidc from 'openid-client';
import { decodeProtectedHeader } from 'jose';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, heading, linkNamed, backToNow, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

type Metadata = Record<string, string | string[] | boolean>;
const json = async (url: string) => (await fetch(url)).json() as Promise<Metadata>;

describe.each([
  ['an issuer at the root', ''],
  ['an issuer with a path', '/auth'],
  ['an issuer with two segments', '/login/v1'],
])('%s', (_what, path) => {
  let gatehouse: Running;
  let origin: string;
  beforeAll(async () => {
    gatehouse = await startGatehouse({}, path);
    ({ origin } = new URL(gatehouse.issuer));
  });
  afterAll(() => gatehouse.stop());

  it('is found the way of OpenID Connect Discovery and the way of RFC 8414, with the same answer', async () => {
    const appended = await json(`${gatehouse.issuer}/.well-known/openid-configuration`);
    expect(appended['issuer']).toBe(gatehouse.issuer);
    expect(await json(`${origin}/.well-known/oauth-authorization-server${path}`)).toEqual(appended);
    expect(await json(`${origin}/.well-known/openid-configuration${path}`)).toEqual(appended);
  });

  it('names endpoints that exist below it', async () => {
    const metadata = await json(`${gatehouse.issuer}/.well-known/openid-configuration`);
    const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name));
    expect(endpoints.map(([name]) => name).sort()).toEqual([
      'authorization_endpoint',
      'device_authorization_endpoint',
      'end_session_endpoint',
      'introspection_endpoint',
      'jwks_uri',
      'pushed_authorization_request_endpoint',
      'revocation_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
    ]);
    for (const [name, url] of endpoints) {
      expect(String(url)).toMatch(new RegExp(`^${gatehouse.issuer}/`));
      const method = /token|introspection|revocation|pushed|device/.test(name) ? 'POST' : 'GET';
      expect([name, (await fetch(String(url), { method })).status]).not.toEqual([name, 404]);
    }
  });

  it('promises only what OAuth 2.1 allows', async () => {
    const metadata = await json(`${gatehouse.issuer}/.well-known/openid-configuration`);
    expect(metadata).toMatchObject({
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      subject_types_supported: ['public', 'pairwise'],
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
    });
    expect(metadata['grant_types_supported']).not.toContain('password');
    expect(metadata['grant_types_supported']).not.toContain('implicit');
    expect(metadata['id_token_signing_alg_values_supported']).toEqual(expect.arrayContaining(['ES256', 'RS256']));
    expect(new Set(metadata['scopes_supported'] as string[])).toEqual(
      new Set(['openid', 'profile', 'email', 'phone', 'address', 'offline_access', 'roles', 'permissions', 'groups']),
    );
  });

  it('lets a whole sign-in, refresh and log-out pass below it', async () => {
    const app = await gatehouse.app({ post_logout_redirect_uris: ['https://app.example/bye'] });
    const rp = await relyingParty(gatehouse, app);
    const browser = new Browser(gatehouse.issuer);
    const { callback, checks } = await authorize(
      rp,
      await gatehouse.person(),
      { scope: 'openid offline_access' },
      browser,
    );
    const tokens = await rp.redeem(callback, checks);
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(200);
    expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).status).toBe(200);
    const page = await browser.open(
      oidc.buildEndSessionUrl(rp.config, { post_logout_redirect_uri: 'https://app.example/bye' }),
    );
    expect((await browser.submit(page, { logout: 'yes' })).url.href).toBe('https://app.example/bye');
  });

  it('has a way to begin again at a dead end', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    passTime(3601);
    const late = await browser.open(page.url);
    expect(heading(await browser.open(linkNamed(late, 'Start again')))).toBe('Sign in to Acme Notes');
    backToNow();
  });

  it('serves its pages with links and styles that exist', async () => {
    const page = await new Browser(gatehouse.issuer).open(`${gatehouse.issuer}/`);
    expect(page.status).toBe(200);
    const links = page.html.querySelectorAll('link[href], script[src]');
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      const url = new URL(link.getAttribute('href') ?? link.getAttribute('src')!, page.url);
      expect([url.pathname, (await fetch(url)).status]).toEqual([url.pathname, 200]);
    }
  });

  it('keeps the cookies of a sign-in to its path', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    const cookies = await browser.jar.getCookies(page.url.href);
    const interaction = cookies.find(({ key }) => key === 'gatehouse_interaction');
    expect(interaction?.path).toBe(page.url.pathname);
    expect(page.url.pathname.startsWith(`${path}/interaction/`)).toBe(true);
  });

  it('answers whether it is alive and ready', async () => {
    expect(await json(`${gatehouse.issuer}/health`)).toEqual({ status: 'ok' });
    expect(await json(`${gatehouse.issuer}/ready`)).toEqual({ status: 'ok', store: 'ok' });
  });
});

it('an issuer with a path serves nothing of its own outside its path', async () => {
  const gatehouse = await startGatehouse({}, '/auth');
  const { origin } = new URL(gatehouse.issuer);
  for (const outside of ['/', '/token', '/jwks', '/userinfo', '/assets/theme.css'])
    expect([outside, (await fetch(origin + outside)).status]).toEqual([outside, 404]);
  await gatehouse.stop();
});

describe('keys', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('are published as one ES256 and one RS256 key, with nothing private', async () => {
    const { keys } = (await (await fetch(`${gatehouse.issuer}/jwks`)).json()) as { keys: JWK[] };
    expect(keys.map(({ alg, use }) => [alg, use]).sort()).toEqual([
      ['ES256', 'sig'],
      ['RS256', 'sig'],
    ]);
    for (const key of keys) {
      expect(Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth'].includes(name))).toEqual(
        [],
      );
      expect(key.kid).toMatch(/^[\w-]{43}$/);
    }
  });

  it.each(['RS256', 'ES256'] as const)('sign ID tokens with %s for apps that registered it', async (alg) => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ id_token_signed_response_alg: alg }));
    Object.assign(rp.config.clientMetadata(), { id_token_signed_response_alg: alg });
    const { id_token } = await rp.signIn(await gatehouse.person());
    expect(decodeProtectedHeader(id_token!).alg).toBe(alg);
  });

  it('sign ID tokens with RS256 for apps that registered nothing', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    expect(decodeProtectedHeader((await rp.signIn(await gatehouse.person())).id_token!).alg).toBe('RS256');
  });
});
