import * as oidc from 'openid-client';
import { compactDecrypt, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey } from '../support/client-keys.ts';
import type { ClientKey } from '../support/client-keys.ts';
import { as, answer, basic } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { browserFor } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';

describe('requests and answers as JWTs', () => {
  let gatehouse: Running;
  let person: Person;
  let keys: ClientKey;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
    keys = await clientKey();
  });
  afterAll(() => gatehouse.stop());

  const ours = () => createRemoteJWKSet(new URL(`${gatehouse.issuer}/jwks`));

  describe('a signed request (JAR, RFC 9101)', () => {
    const signing = async (protocol: object = {}) => {
      const app = await gatehouse.app({ protocol: { jwks: keys.jwks, ...protocol } });
      const rp = await relyingParty(gatehouse, app);
      const signed = async (parameters: Record<string, string> = {}) => {
        const { url, checks } = await rp.request(parameters);
        return { url: await oidc.buildAuthorizationUrlWithJAR(rp.config, url.searchParams, keys), checks };
      };
      return { app, rp, signed };
    };

    it('signs people in', async () => {
      const { rp, signed } = await signing({ require_signed_request_object: true });
      const { url, checks } = await signed({ scope: 'openid offline_access' });
      expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request']);
      const tokens = await rp.redeem(await clickThrough(browserFor(rp), url, person), checks);
      expect(tokens.claims()!.sub).toBe(person.sub);
      expect(tokens.refresh_token).toBeTypeOf('string');
    });

    it('can be pushed (RFC 9126)', async () => {
      const { rp, signed } = await signing({ require_signed_request_object: true });
      const { url, checks } = await signed();
      const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams);
      const tokens = await rp.redeem(await clickThrough(browserFor(rp), pushed, person), checks);
      expect(tokens.claims()!.sub).toBe(person.sub);
    });

    it('is asked for where the client must sign', async () => {
      const { rp } = await signing({ require_signed_request_object: true });
      const { url } = await rp.request();
      const page = await browserFor(rp).open(url);
      expect(page.url.searchParams.get('error')).toBe('invalid_request');
    });
  });

  it('a client that must push its requests cannot send them by the browser', async () => {
    const app = await gatehouse.app({ protocol: { require_pushed_authorization_requests: true } });
    const rp = await relyingParty(gatehouse, app);
    const { url, checks } = await rp.request();
    expect((await browserFor(rp).open(url)).url.searchParams.get('error')).toBe('invalid_request');
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams);
    const tokens = await rp.redeem(await clickThrough(browserFor(rp), pushed, person), checks);
    expect(tokens.claims()!.sub).toBe(person.sub);
  });

  describe('a signed answer (JARM)', () => {
    it.each(['RS256', 'ES256'] as const)('brings the code, signed with %s', async (alg) => {
      const app = await gatehouse.app({ protocol: { authorization_signed_response_alg: alg } });
      const rp = await relyingParty(gatehouse, app, {
        metadata: { authorization_signed_response_alg: alg },
        execute: [oidc.useJwtResponseMode],
      });
      const { url, checks } = await rp.request();
      const callback = await clickThrough(browserFor(rp), url, person);
      expect([...callback.searchParams.keys()]).toEqual(['response']);
      expect(decodeProtectedHeader(callback.searchParams.get('response')!).alg).toBe(alg);
      expect((await rp.redeem(callback, checks)).claims()!.sub).toBe(person.sub);
    });

    it('can be encrypted to the client', async () => {
      const key = await clientKey('RSA-OAEP-256', 'enc');
      const app = await gatehouse.app({
        protocol: { jwks: key.jwks, authorization_encrypted_response_alg: 'RSA-OAEP-256' },
      });
      const rp = await relyingParty(gatehouse, app, {
        execute: [
          oidc.useJwtResponseMode,
          (config) => oidc.enableDecryptingResponses(config, ['A128CBC-HS256'], { key: key.key, kid: key.kid }),
        ],
      });
      const { url, checks } = await rp.request();
      const callback = await clickThrough(browserFor(rp), url, person);
      expect(callback.searchParams.get('response')!.split('.')).toHaveLength(5);
      expect((await rp.redeem(callback, checks)).claims()!.sub).toBe(person.sub);
    });

    it('tells a refusal too', async () => {
      const rp = await relyingParty(gatehouse, await gatehouse.app(), { execute: [oidc.useJwtResponseMode] });
      const { url } = await rp.request({ prompt: 'none' });
      const page = await browserFor(rp).open(url);
      const { payload } = await jwtVerify(page.url.searchParams.get('response')!, ours(), { issuer: gatehouse.issuer });
      expect(payload).toMatchObject({ error: 'login_required', aud: rp.app.client_id });
    });
  });

  it.each([
    ['RSA-OAEP-256', 'A128CBC-HS256'],
    ['RSA-OAEP', 'A256GCM'],
    ['ECDH-ES', 'A128GCM'],
    ['ECDH-ES+A256KW', 'A256CBC-HS512'],
  ] as const)('an ID token and userinfo are signed, then encrypted with %s and %s', async (alg, enc) => {
    const key = await clientKey(alg, 'enc');
    const app = await gatehouse.app({
      protocol: {
        jwks: key.jwks,
        id_token_encrypted_response_alg: alg,
        id_token_encrypted_response_enc: enc,
        userinfo_signed_response_alg: 'ES256',
        userinfo_encrypted_response_alg: alg,
        userinfo_encrypted_response_enc: enc,
      },
    });
    const rp = await relyingParty(gatehouse, app, {
      metadata: { userinfo_signed_response_alg: 'ES256' },
      execute: [(config) => oidc.enableDecryptingResponses(config, [enc], { key: key.key, kid: key.kid })],
    });
    const tokens = await rp.signIn(person);
    expect(decodeProtectedHeader(tokens.id_token!)).toMatchObject({ alg, enc });
    const { plaintext } = await compactDecrypt(tokens.id_token!, key.key);
    const { payload } = await jwtVerify(new TextDecoder().decode(plaintext), ours(), { audience: app.client_id });
    expect(payload.sub).toBe(person.sub);
    expect(await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub)).toMatchObject({ email: person.email });
  });

  it.each(['RS256', 'ES256'] as const)('userinfo is a JWT signed with %s', async (alg) => {
    const app = await gatehouse.app({ protocol: { userinfo_signed_response_alg: alg } });
    const rp = await relyingParty(gatehouse, app, { metadata: { userinfo_signed_response_alg: alg } });
    const { access_token } = await rp.signIn(person);
    const raw = await fetch(`${gatehouse.issuer}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } });
    expect(raw.headers.get('content-type')).toContain('application/jwt');
    expect(decodeProtectedHeader(await raw.text()).alg).toBe(alg);
    expect(await oidc.fetchUserInfo(rp.config, access_token, person.sub)).toMatchObject({ email: person.email });
  });

  describe('introspection as a JWT (RFC 9701)', () => {
    async function introspect(
      token: string,
      { client_id, client_secret }: { client_id: string; client_secret?: string | undefined },
    ) {
      const response = await fetch(`${gatehouse.issuer}/token/introspection`, {
        method: 'POST',
        headers: { ...basic(client_id, client_secret!), accept: 'application/token-introspection+jwt' },
        body: new URLSearchParams({ token }),
      });
      return answer(response);
    }

    it.each(['opaque', 'JWT'])('tells an API of a token that is %s', async (format) => {
      const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
      const app = await gatehouse.app({ protocol: { introspection_signed_response_alg: 'ES256' } });
      const rp = await relyingParty(gatehouse, app);
      const resource: Record<string, string> = format === 'JWT' ? { resource: api.resource! } : {};
      const { access_token } = await rp.signIn(person, resource);
      const asker = format === 'JWT' ? api : app;
      const { text, headers } = await introspect(access_token, asker);
      expect(headers.get('content-type')).toContain('application/token-introspection+jwt');
      expect(decodeProtectedHeader(text).typ).toBe('token-introspection+jwt');
      const { payload } = await jwtVerify(text, ours(), { issuer: gatehouse.issuer });
      expect(payload['token_introspection']).toMatchObject({ active: true, sub: person.sub, client_id: app.client_id });
      const plain = await as(gatehouse, asker).introspect(access_token);
      expect(plain.body).toMatchObject({ active: true, sub: person.sub });
    });

    it('says no more than that a dead token is dead', async () => {
      const app = await gatehouse.app();
      const { text } = await introspect('nonsense', app);
      expect(decodeJwt(text)['token_introspection']).toEqual({ active: false });
    });

    it.each(['opaque', 'JWT'])(
      'is never readable on the way where it is to be encrypted, of a token that is %s',
      async (format) => {
        const key = await clientKey('RSA-OAEP-256', 'enc');
        const api = await gatehouse.app({
          type: 'api',
          scope: 'notes:read',
          protocol: { jwks: key.jwks, introspection_encrypted_response_alg: 'RSA-OAEP-256' },
        });
        const rp = await relyingParty(gatehouse, await gatehouse.app());
        const { access_token } = await rp.signIn(person, format === 'JWT' ? { resource: api.resource! } : {});
        expect((await as(gatehouse, api).introspect(access_token)).body).toMatchObject({ error: 'invalid_request' });
        const { text } = await introspect(access_token, api);
        const { plaintext } = await compactDecrypt(text, key.key);
        const { payload } = await jwtVerify(new TextDecoder().decode(plaintext), ours());
        expect(payload['token_introspection']).toMatchObject({ active: format === 'JWT' });
      },
    );
  });
});
