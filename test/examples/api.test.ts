import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { tokenIntrospection } from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApi } from '../../examples/api/api.ts';
import { Browser } from '../support/browser.ts';
import { enterCode, withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, enterPassword, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';

describe('the example API', () => {
  let gatehouse: Running;
  let server: Listening;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    server = await listen();
    await gatehouse.app({ type: 'api', resource: server.origin, scope: 'notes:read notes:write' });
    server.serve(await createApi({ ISSUER: gatehouse.issuer, API_RESOURCE: server.origin }));
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  afterAll(async () => {
    await server.stop();
    await gatehouse.stop();
  });

  async function tokens(
    scope: string,
    { roles = [], resource = server.origin }: { roles?: string[]; resource?: string } = {},
  ) {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    return rp.signIn(await gatehouse.person({ roles }), { scope, resource });
  }
  const accessToken = async (...input: Parameters<typeof tokens>) => (await tokens(...input)).access_token;

  async function call(token: string | undefined, method = 'GET') {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.origin}/notes`, { method, headers });
    const body = (await response.json().catch(() => undefined)) as { error?: string; owner?: string } | undefined;
    return { status: response.status, challenge: response.headers.get('www-authenticate'), body };
  }

  const INVALID = { status: 401, challenge: expect.stringContaining('error="invalid_token"') as string };

  it('serves the person a genuine token stands for', async () => {
    expect(await call(await accessToken('openid notes:read'))).toMatchObject({
      status: 200,
      body: { owner: expect.stringMatching(/^usr_/) as string },
    });
  });

  it('asks for a token where there is none, without naming an error (RFC 6750, section 3.1)', async () => {
    const answer = await call(undefined);
    expect(answer).toMatchObject({ status: 401, challenge: 'Bearer realm="notes"', body: { error: 'unauthorized' } });
    expect((await fetch(`${server.origin}/notes`, { headers: { authorization: 'Basic eDp5' } })).status).toBe(401);
  });

  it('refuses an expired token and says so', async () => {
    const token = await accessToken('openid notes:read');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 901_000 });
    expect(await call(token)).toMatchObject({ ...INVALID, body: { error_description: 'the token has expired' } });
  });

  it('refuses forged tokens: other key, no signature, changed content, nonsense', async () => {
    const token = await accessToken('openid notes:read');
    const [header, payload = '', signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const { kid } = decodeProtectedHeader(token);
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const signed = (protectedHeader: object) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...protectedHeader }).sign(privateKey);
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'usr_other' })).toString('base64url');
    const forged = [
      await signed({ kid }),
      await signed({ kid: 'unknown' }),
      await signed({ jwk: await exportJWK(publicKey) }),
      new UnsecuredJWT(claims).encode(),
      [header, changed, signature].join('.'),
      'nonsense',
      'a.b.c',
    ];
    for (const one of forged) expect(await call(one)).toMatchObject({ ...INVALID, body: { error: 'invalid_token' } });
  });

  it('refuses a token for another API, and an ID token', async () => {
    const other = await gatehouse.app({ type: 'api', resource: 'urn:other', scope: 'notes:read' });
    expect(await call(await accessToken('openid notes:read', { resource: other.resource! }))).toMatchObject(INVALID);
    expect(await call((await tokens('openid notes:read')).id_token)).toMatchObject(INVALID);
  });

  it('refuses a token of another provider', async () => {
    const stranger = await startGatehouse();
    await stranger.app({ type: 'api', resource: server.origin, scope: 'notes:read' });
    const rp = await relyingParty(stranger, await stranger.app());
    const { access_token } = await rp.signIn(await stranger.person(), {
      scope: 'openid notes:read',
      resource: server.origin,
    });
    await stranger.stop();
    expect(await call(access_token)).toMatchObject(INVALID);
  });

  it.each([
    ['the scope to read', 'GET', 'openid notes:write', [], 'the scope notes:read is needed'],
    ['the scope to write', 'DELETE', 'openid roles notes:read', ['editor'], 'the scope notes:write is needed'],
    ['the role', 'DELETE', 'openid roles notes:write', ['reader'], 'the role editor is needed'],
    ['the scope that shows the role', 'DELETE', 'openid notes:write', ['editor'], 'the role editor is needed'],
  ])('forbids what lacks %s', async (_what, method, scope, roles, error_description) => {
    expect(await call(await accessToken(scope, { roles }), method)).toMatchObject({
      status: 403,
      challenge: `Bearer realm="notes", error="insufficient_scope", error_description="${error_description}"`,
      body: { error: 'insufficient_scope', error_description },
    });
  });

  it('lets an editor whose app may write do so', async () => {
    expect(await call(await accessToken('openid roles notes:write', { roles: ['editor'] }), 'DELETE')).toMatchObject({
      status: 204,
    });
  });

  describe('a note that only a sure and recent sign-in may read (RFC 9470)', () => {
    const privateNote = async (token: string) => {
      const response = await fetch(`${server.origin}/notes/private`, { headers: { authorization: `Bearer ${token}` } });
      return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '' };
    };
    /** What the API asks of the next sign-in, as the parameters of an authorization request. */
    const wanted = (challenge: string) =>
      Object.fromEntries(
        [...challenge.matchAll(/(acr_values|max_age)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]),
      );
    afterEach(() => backToNow());

    it('is read by an app that sends its person to do what the answer asks for, and no more', async () => {
      const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
      const person = await gatehouse.person();
      const request = { scope: 'openid notes:read', resource: server.origin };
      const browser = new Browser(gatehouse.issuer);
      const first = await rp.signIn(person, request, browser);
      const weak = await privateNote(first.access_token);
      expect(weak.status).toBe(401);
      expect(weak.challenge).toMatch(/^Bearer realm="notes", error="insufficient_user_authentication", /);
      expect(wanted(weak.challenge)).toEqual({ acr_values: 'urn:gatehouse:acr:2 urn:gatehouse:acr:3' });

      const { secret } = await withApp(gatehouse, person);
      const stepUp = await rp.request({ ...request, ...wanted(weak.challenge) });
      const asked = await browser.open(stepUp.url);
      expect(asked.html.querySelector('input[name=password]')).toBeNull();
      const { url: callback } = await enterCode(browser, asked, secret);
      const strong = await rp.redeem(callback, stepUp.checks);
      expect(decodeJwt(strong.access_token)).toMatchObject({ acr: 'urn:gatehouse:acr:2', amr: ['pwd', 'otp', 'mfa'] });
      expect((await privateNote(strong.access_token)).status).toBe(200);

      passTime(301);
      const old = await privateNote(strong.access_token);
      expect([old.status, wanted(old.challenge)]).toEqual([401, { max_age: '300' }]);
      const anew = await rp.request({ ...request, ...wanted(old.challenge) });
      const again = await enterPassword(browser, await browser.open(anew.url), person);
      const { url: back } = await enterCode(browser, again, secret);
      expect((await privateNote((await rp.redeem(back, anew.checks)).access_token)).status).toBe(200);
    });

    it('is told of the sign-in by introspection as by the token', async () => {
      const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
      const request = { scope: 'openid notes:read', resource: server.origin };
      const { access_token } = await rp.signIn(await gatehouse.person(), request);
      const { acr, amr, auth_time } = decodeJwt(access_token);
      expect(auth_time).toBeTypeOf('number');
      const told = await tokenIntrospection(rp.config, access_token);
      expect(told).toMatchObject({ active: true, acr, amr, auth_time });
    });
  });

  it('does not start with a provider that calls itself otherwise', async () => {
    const ISSUER = gatehouse.issuer.replace('localhost', '127.0.0.1');
    await expect(createApi({ ISSUER, API_RESOURCE: server.origin })).rejects.toThrow('calls itself');
  });
});
