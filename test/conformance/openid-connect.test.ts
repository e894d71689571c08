/** What the plans of the conformance suite for OpenID Connect ask of a provider, one by one. */
import { createHash } from 'node:crypto';
import * as oidc from 'openid-client';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { clientKey, loopbackServer } from '../support/client-keys.ts';
import { CHECKS, REDIRECT, startForConformance, suiteClient } from '../support/conformance.ts';
import { as } from '../support/endpoints.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';

type Metadata = Record<string, string[] & string & boolean>;
const hashOf = (value: string) => createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');

describe('the plans of OpenID Connect', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startForConformance();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  it('config: the metadata name what the other plans choose from', async () => {
    const metadata = (await (await fetch(`${gatehouse.issuer}/.well-known/openid-configuration`)).json()) as Metadata;
    expect(metadata).toMatchObject({
      issuer: gatehouse.issuer,
      registration_endpoint: `${gatehouse.issuer}/register`,
      claims_parameter_supported: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      require_request_uri_registration: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: true,
    });
    expect([...metadata['response_types_supported']!].sort()).toEqual([
      'code',
      'code id_token',
      'code id_token token',
      'code token',
      'id_token',
      'id_token token',
    ]);
    for (const grant of ['authorization_code', 'implicit', 'refresh_token'])
      expect(metadata['grant_types_supported']).toContain(grant);
    for (const alg of ['RS256', 'ES256', 'PS256'])
      expect(metadata['id_token_signing_alg_values_supported']).toContain(alg);
    expect(metadata['userinfo_signing_alg_values_supported']).toContain('RS256');
    expect(metadata['request_object_signing_alg_values_supported']).not.toContain('none');
    expect(metadata['subject_types_supported']).toEqual(expect.arrayContaining(['public', 'pairwise']));
  });

  describe('basic', () => {
    it.each(['client_secret_basic', 'client_secret_post'])('a code without PKCE, redeemed by %s', async (method) => {
      const { config, visit } = await suiteClient(gatehouse, { token_endpoint_auth_method: method }, (client) =>
        method === 'client_secret_post'
          ? oidc.ClientSecretPost(client.client_secret)
          : oidc.ClientSecretBasic(client.client_secret),
      );
      const tokens = await oidc.authorizationCodeGrant(config, await visit(person), CHECKS);
      expect(tokens.claims()).toMatchObject({ sub: person.sub, nonce: 'the nonce' });
      const claims = await oidc.fetchUserInfo(config, tokens.access_token, person.sub);
      expect(claims).toMatchObject({ name: 'Ada Lovelace', email: person.email, email_verified: true });
    });

    it('a request without a nonce, by GET and by POST', async () => {
      const { config, url } = await suiteClient(gatehouse);
      const query = url().searchParams;
      query.delete('nonce');
      const browser = new Browser(gatehouse.issuer);
      const page = await browser.open(`${gatehouse.issuer}/auth`, { method: 'POST', body: query });
      const consent = await browser.submit(page, { email: person.email, password: person.password });
      const { url: callback } = await browser.submit(consent, { decision: 'allow' });
      const tokens = await oidc.authorizationCodeGrant(config, callback, { expectedState: 'the state' });
      expect(tokens.claims()?.sub).toBe(person.sub);
    });

    it('prompt=none tells who is not signed in, and gives who is a code for the same person', async () => {
      const { config, url, visit } = await suiteClient(gatehouse);
      const browser = new Browser(gatehouse.issuer);
      const none = (parameters = {}) => browser.open(url({ prompt: 'none', ...parameters }));
      expect((await none()).url.searchParams.get('error')).toBe('login_required');
      const first = await oidc.authorizationCodeGrant(config, await visit(person, {}, browser), CHECKS);
      const silent = await none({ id_token_hint: first.id_token });
      const second = await oidc.authorizationCodeGrant(config, silent.url, CHECKS);
      expect(second.claims()).toMatchObject({ sub: person.sub, auth_time: first.claims()?.['auth_time'] });
    });

    it('prompt=login and max_age ask again, and auth_time says when', async () => {
      const { config, url, visit } = await suiteClient(gatehouse);
      const browser = new Browser(gatehouse.issuer);
      const first = await oidc.authorizationCodeGrant(config, await visit(person, {}, browser), CHECKS);
      passTime(3);
      for (const asked of [{ prompt: 'login' }, { max_age: '1' }])
        expect((await browser.open(url(asked))).html.querySelector('input[name=password]')).not.toBeNull();
      const late = await browser.open(url({ max_age: '10000' }));
      const same = await oidc.authorizationCodeGrant(config, late.url, { ...CHECKS, maxAge: 10_000 });
      expect(same.claims()?.['auth_time']).toBe(first.claims()?.['auth_time']);
      const anew = await visit(person, { max_age: '1' }, browser);
      const fresh = await oidc.authorizationCodeGrant(config, anew, { ...CHECKS, maxAge: 10_000 });
      expect(Number(fresh.claims()?.['auth_time'])).toBeGreaterThan(Number(first.claims()?.['auth_time']));
    });

    it('parameters that nobody must understand do no harm', async () => {
      const { config, visit } = await suiteClient(gatehouse);
      const callback = await visit(person, {
        display: 'popup',
        ui_locales: 'se',
        claims_locales: 'se',
        acr_values: '1 2',
        login_hint: 'bob@example.com',
        extra: 'foobar',
      });
      expect((await oidc.authorizationCodeGrant(config, callback, CHECKS)).claims()?.sub).toBe(person.sub);
    });

    it('a claim that is essential by the claims parameter comes from userinfo', async () => {
      const { config, visit } = await suiteClient(gatehouse);
      const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
      const callback = await visit(person, { scope: 'openid', claims });
      const tokens = await oidc.authorizationCodeGrant(config, callback, CHECKS);
      const told = await oidc.fetchUserInfo(config, tokens.access_token, person.sub);
      expect(told).toMatchObject({ name: 'Ada Lovelace' });
      expect(told).not.toHaveProperty('email');
    });

    it('a redirect URI that is not registered, or missing, leads nowhere', async () => {
      const { url } = await suiteClient(gatehouse);
      for (const redirect_uri of [`${REDIRECT}/other`, `${REDIRECT}?foo=bar`]) {
        const page = await new Browser(gatehouse.issuer).open(url({ redirect_uri }));
        expect([page.status, page.url.origin]).toEqual([400, gatehouse.issuer]);
      }
      const query = url();
      query.searchParams.delete('response_type');
      const page = await new Browser(gatehouse.issuer).open(query);
      expect(page.url.searchParams.get('error') ?? page.status).toBe('invalid_request');
    });

    it('a code used again after thirty seconds is refused, and its tokens end', async () => {
      const { config, client, visit } = await suiteClient(gatehouse);
      const callback = await visit(person);
      const tokens = await oidc.authorizationCodeGrant(config, callback, CHECKS);
      passTime(30);
      await expect(oidc.authorizationCodeGrant(config, callback, CHECKS)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
      await expect(oidc.fetchUserInfo(config, tokens.access_token, person.sub)).rejects.toThrow();
      expect(client.client_id).toBeTypeOf('string');
    });

    it('a refresh token for offline_access with prompt=consent, good for this client alone', async () => {
      const [one, other] = [await suiteClient(gatehouse), await suiteClient(gatehouse)];
      const callback = await one.visit(person, { scope: 'openid offline_access', prompt: 'consent' });
      const { refresh_token } = await oidc.authorizationCodeGrant(one.config, callback, CHECKS);
      await expect(oidc.refreshTokenGrant(other.config, refresh_token!)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
      expect((await oidc.refreshTokenGrant(one.config, refresh_token!)).claims()?.sub).toBe(person.sub);
    });
  });

  it('form post: the answer is a form that sends itself, under a policy that lets it', async () => {
    const { config, url } = await suiteClient(gatehouse);
    const browser = new Browser(gatehouse.issuer);
    let page = await browser.open(url({ response_mode: 'form_post' }));
    page = await browser.submit(page, { email: person.email, password: person.password });
    page = await browser.submit(page, { decision: 'allow' });
    const form = page.html.querySelector('form')!;
    expect(form.getAttribute('action')).toBe(REDIRECT);
    expect(page.headers.get('content-security-policy')).toMatch(/form-action [^;]*https:/);
    const fields = form
      .querySelectorAll('input[name]')
      .map((one) => [one.getAttribute('name')!, one.getAttribute('value')!]);
    const request = new Request(REDIRECT, {
      method: 'POST',
      body: new URLSearchParams(Object.fromEntries(fields) as never),
    });
    expect((await oidc.authorizationCodeGrant(config, request, CHECKS)).claims()?.sub).toBe(person.sub);
  });

  describe('hybrid and implicit', () => {
    it.each(['code id_token', 'code token', 'code id_token token'])(
      '%s: in the fragment, bound together',
      async (type) => {
        const execute = type === 'code id_token' ? [oidc.useCodeIdTokenResponseType] : [];
        const { config, visit } = await suiteClient(gatehouse, { response_types: [type] }, undefined, execute);
        const callback = await visit(person, { response_type: type });
        const fragment = new URLSearchParams(callback.hash.slice(1));
        expect([callback.search, fragment.get('state')]).toEqual(['', 'the state']);
        // An ID token names the issuer itself (RFC 9207, section 2).
        expect(fragment.get('iss')).toBe(type.includes('id_token') ? null : gatehouse.issuer);
        const code = fragment.get('code')!;
        const [idToken, accessToken] = [fragment.get('id_token'), fragment.get('access_token')];
        expect([idToken !== null, accessToken !== null]).toEqual([type.includes('id_token'), / token$/.test(type)]);
        if (idToken !== null) {
          const claims = decodeJwt(idToken);
          expect(claims).toMatchObject({ sub: person.sub, nonce: 'the nonce', c_hash: hashOf(code) });
          expect(claims['at_hash']).toBe(accessToken === null ? undefined : hashOf(accessToken));
        }
        if (accessToken !== null)
          expect(await oidc.fetchUserInfo(config, accessToken, person.sub)).toHaveProperty('email', person.email);
        if (type === 'code id_token') {
          const tokens = await oidc.authorizationCodeGrant(config, callback, CHECKS);
          expect(tokens.claims()?.sub).toBe(person.sub);
        } else {
          const redeemed = await as(gatehouse, {
            client_id: config.clientMetadata().client_id,
            client_secret: config.clientMetadata().client_secret!,
            redirect_uri: REDIRECT,
            resource: null,
          }).token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT });
          expect(decodeJwt(String(redeemed.body['id_token'])).sub).toBe(person.sub);
        }
      },
    );

    it('id_token: an ID token alone, with openid-client', async () => {
      const { config, visit } = await suiteClient(gatehouse, { response_types: ['id_token'] }, undefined, [
        oidc.useIdTokenResponseType,
      ]);
      const callback = await visit(person);
      const claims = await oidc.implicitAuthentication(config, callback, 'the nonce', { expectedState: 'the state' });
      expect(claims).toMatchObject({ sub: person.sub, email: person.email });
    });

    it('is refused without a nonce, and for clients that did not register it', async () => {
      const { url } = await suiteClient(gatehouse, { response_types: ['code id_token'] });
      const query = url({ response_type: 'code id_token' });
      query.searchParams.delete('nonce');
      const error = async (at: URL) => {
        const { url: callback } = await new Browser(gatehouse.issuer).open(at);
        return new URLSearchParams(callback.hash.slice(1) || callback.search).get('error');
      };
      expect(await error(query)).toBe('invalid_request');
      const plain = await suiteClient(gatehouse);
      expect(await error(plain.url({ response_type: 'code id_token' }))).toBe('invalid_request');
    });
  });

  describe('dynamic', () => {
    it('keys at jwks_uri: fetched on loopback, and fetched again after the client rotated them', async () => {
      const [first, second] = [await clientKey('RS256'), await clientKey('ES256')];
      let keys = first.jwks;
      const server = await loopbackServer(() => ({ body: JSON.stringify(keys) }));
      try {
        const metadata = {
          token_endpoint_auth_method: 'private_key_jwt',
          jwks_uri: `${server.origin}/jwks`,
          userinfo_signed_response_alg: 'RS256',
        };
        const one = await suiteClient(gatehouse, metadata, () => oidc.PrivateKeyJwt(first));
        const tokens = await oidc.authorizationCodeGrant(one.config, await one.visit(person), CHECKS);
        expect((await oidc.fetchUserInfo(one.config, tokens.access_token, person.sub)).sub).toBe(person.sub);
        keys = second.jwks;
        passTime(120);
        const { client_id } = one.client;
        const later = await oidc.discovery(
          new URL(gatehouse.issuer),
          client_id,
          one.client,
          oidc.PrivateKeyJwt(second),
          {
            execute: [oidc.allowInsecureRequests],
          },
        );
        const again = await oidc.authorizationCodeGrant(later, await one.visit(person), CHECKS);
        expect(again.claims()?.sub).toBe(person.sub);
      } finally {
        await server.stop();
      }
    });

    it('what people are shown: logo, policy and terms of the app', async () => {
      const { url } = await suiteClient(gatehouse, {
        client_uri: 'https://suite.example/',
        logo_uri: 'https://suite.example/logo.png',
        policy_uri: 'https://suite.example/policy',
        tos_uri: 'https://suite.example/terms',
      });
      const browser = new Browser(gatehouse.issuer);
      const page = await browser.submit(await browser.open(url()), {
        email: person.email,
        password: person.password,
      });
      expect(heading(page)).toContain('suite client');
      for (const address of ['https://suite.example/policy', 'https://suite.example/terms'])
        expect(page.html.querySelector(`a[href="${address}"]`)).not.toBeNull();
      expect(page.html.querySelector('img[src^="/logos/"]')).not.toBeNull();
    });

    it('a redirect URI with a query comes back with it', async () => {
      const redirect_uri = `${REDIRECT}?dummy1=lorem&dummy2=ipsum`;
      const { visit } = await suiteClient(gatehouse, { redirect_uris: [redirect_uri] });
      const callback = await visit(person, { redirect_uri });
      expect([callback.searchParams.get('dummy2'), callback.searchParams.has('code')]).toEqual(['ipsum', true]);
    });

    it('a signed request, and one that contradicts it', async () => {
      const keys = await clientKey('RS256');
      const { config, url } = await suiteClient(gatehouse, {
        jwks: keys.jwks as never,
        request_object_signing_alg: 'RS256',
      });
      const signed = await oidc.buildAuthorizationUrlWithJAR(config, url().searchParams, keys);
      const browser = new Browser(gatehouse.issuer);
      const page = await browser.open(signed);
      expect(page.html.querySelector('input[name=password]')).not.toBeNull();
    });

    it('a signed request by reference, from a registered address alone', async () => {
      const keys = await clientKey('RS256');
      let object = '';
      const server = await loopbackServer(() => ({ body: object }));
      // With the hash of what is there, as the suite registers it (OpenID Connect Core, section 6.2).
      const address = `${server.origin}/request.jwt#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM`;
      try {
        const { config, url } = await suiteClient(gatehouse, {
          jwks: keys.jwks as never,
          request_object_signing_alg: 'RS256',
          request_uris: [address] as never,
        });
        const parameters = url().searchParams;
        const signed = await oidc.buildAuthorizationUrlWithJAR(config, parameters, keys);
        object = signed.searchParams.get('request')!;
        const by = (request_uri: string) => {
          const at = url();
          at.searchParams.set('request_uri', request_uri);
          return new Browser(gatehouse.issuer).open(at);
        };
        expect((await by(address)).html.querySelector('input[name=password]')).not.toBeNull();
        expect(server.asked).toEqual(['/request.jwt']);
        const other = await by(`${server.origin}/request.jwt#another`);
        expect(other.url.searchParams.get('error')).toBe('request_uri_not_supported');
        object = 'no request';
        expect((await by(address)).url.searchParams.get('error')).toBe('request_uri_not_supported');
        expect(server.asked).toEqual(['/request.jwt', '/request.jwt']);
      } finally {
        await server.stop();
      }
    });

    it('ID tokens signed as registered, by a key that the key set has after a rotation too', async () => {
      const { config, visit } = await suiteClient(gatehouse, { id_token_signed_response_alg: 'PS256' });
      const kids = async () =>
        ((await (await fetch(`${gatehouse.issuer}/jwks`)).json()) as { keys: { kid: string }[] }).keys.map(
          ({ kid }) => kid,
        );
      const before = await kids();
      await gatehouse.keys.rotation.rotate();
      passTime(60);
      expect((await kids()).length).toBeGreaterThan(before.length);
      const tokens = await oidc.authorizationCodeGrant(config, await visit(person), CHECKS);
      expect(tokens.claims()?.sub).toBe(person.sub);
    });
  });

  describe('log-out and the third party', () => {
    it('a log-out that the app begins comes back with its state, after a question', async () => {
      const bye = 'https://suite.example:8443/test/a/gatehouse/post_logout';
      const { config, visit } = await suiteClient(gatehouse, { post_logout_redirect_uris: [bye] });
      const browser = new Browser(gatehouse.issuer);
      const tokens = await oidc.authorizationCodeGrant(config, await visit(person, {}, browser), CHECKS);
      const end = oidc.buildEndSessionUrl(config, {
        id_token_hint: tokens.id_token!,
        post_logout_redirect_uri: bye,
        state: 'bye state',
      });
      const asked = await browser.open(end);
      const gone = await browser.submit(asked, asked.html.querySelector('[name=logout]') ? { logout: 'yes' } : {});
      expect(gone.url.href).toBe(`${bye}?state=bye+state`);
      const wrong = oidc.buildEndSessionUrl(config, {
        id_token_hint: tokens.id_token!,
        post_logout_redirect_uri: 'https://evil.example/',
      });
      expect((await browser.open(wrong)).url.origin).toBe(gatehouse.issuer);
    });

    it('addresses to be told of a log-out are registered by the app itself', async () => {
      const { client } = await suiteClient(gatehouse, {
        backchannel_logout_uri: 'https://suite.example:8443/test/a/gatehouse/backchannel',
        backchannel_logout_session_required: true,
        frontchannel_logout_uri: 'https://suite.example:8443/test/a/gatehouse/frontchannel',
      });
      expect(client).toMatchObject({ backchannel_logout_session_required: true });
      expect(await gatehouse.clients.get(client.client_id)).toHaveProperty(
        'frontchannel_logout_uri',
        client['frontchannel_logout_uri'],
      );
    });

    it('a sign-in that begins here: the link to the app names our issuer', async () => {
      const initiate_login_uri = 'https://suite.example:8443/test/a/gatehouse/initiate?x=1';
      const { config, visit } = await suiteClient(gatehouse, { initiate_login_uri });
      const browser = new Browser(gatehouse.issuer);
      await oidc.authorizationCodeGrant(config, await visit(person, {}, browser), CHECKS);
      const page = await browser.open(`${gatehouse.issuer}/account/apps`);
      const link = page.html.querySelector('a[href^="https://suite.example:8443"]')?.getAttribute('href');
      expect(link?.replaceAll('&amp;', '&')).toBe(`${initiate_login_uri}&iss=${encodeURIComponent(gatehouse.issuer)}`);
    });
  });
});
