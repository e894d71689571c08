import { createHash, createHmac, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, as, basic } from '../support/endpoints.ts';
import type { Fields } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, authorize } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const now = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ath = (token: string) => createHash('sha256').update(token).digest('base64url');

interface Pair {
  privateKey: CryptoKey;
  jwk: JWK;
}

describe('a DPoP proof (RFC 9449, section 11)', () => {
  let gatehouse: Running;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  let service: App;
  let pair: Pair;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app({ first_party: true });
    service = await gatehouse.app({ type: 'service' });
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person();
    pair = await newPair();
  });
  afterAll(() => gatehouse.stop());

  async function newPair(): Promise<Pair> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    return { privateKey, jwk: await exportJWK(publicKey) };
  }
  const usual = (path = '/token', htm = 'POST') => ({
    htm,
    htu: gatehouse.issuer + path,
    iat: now(),
    jti: randomUUID(),
  });
  const proof = (claims: object = {}, header: object = {}, { privateKey, jwk }: Pair = pair) =>
    new SignJWT({ ...usual(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
      .sign(privateKey);
  const token = async (DPoP: string, headers: Fields = {}) =>
    answer(
      await fetch(`${gatehouse.issuer}/token`, {
        method: 'POST',
        headers: { ...basic(service.client_id, service.client_secret!), DPoP, ...headers },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      }),
    );
  const refused = async (DPoP: string) => {
    const { status, body } = await token(DPoP);
    expect([status, body['access_token']]).toEqual([400, undefined]);
    expect(body['error']).toMatch(/^(invalid_dpop_proof|use_dpop_nonce|invalid_grant)$/);
  };
  async function boundToken(): Promise<string> {
    const authorized = await authorize(rp, person);
    const { body } = await as(gatehouse, app).redeem(authorized, {});
    expect(body['token_type']).toBe('Bearer');
    const again = await authorize(rp, person);
    const bound = await answer(
      await fetch(`${gatehouse.issuer}/token`, {
        method: 'POST',
        headers: { ...basic(app.client_id, app.client_secret!), DPoP: await proof() },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: again.callback.searchParams.get('code')!,
          redirect_uri: app.redirect_uri,
          code_verifier: String(again.checks.pkceCodeVerifier),
        }),
      }),
    );
    return String(bound.body['access_token']);
  }
  const ask = async (accessToken: string, headers: Fields) =>
    answer(
      await fetch(`${gatehouse.issuer}/userinfo`, { headers: { authorization: `DPoP ${accessToken}`, ...headers } }),
    );

  it('is told from a false one', async () => {
    expect((await token(await proof())).body['token_type']).toBe('DPoP');
  });

  it('is good once, also when sent by many at once (section 11.1)', async () => {
    const one = await proof();
    const statuses = (await atOnce(20, () => token(one))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    await refused(one);
  });

  it.each<[string, object]>([
    ['for another method', { htm: 'GET' }],
    ['for a method in small letters', { htm: 'post' }],
    ['for another server', { htu: 'https://evil.example/token' }],
    ['for no address', { htu: undefined }],
    ['for an address that is a list', { htu: ['x'] }],
    ['without a method', { htm: undefined }],
    ['without an id', { jti: undefined }],
    ['with an id that is no text', { jti: 7 }],
    ['without a time', { iat: undefined }],
    ['from an hour ago', { iat: now() - 3600 }],
    ['from an hour ahead', { iat: now() + 3600 }],
    ['with a time that is text', { iat: String(now()) }],
    ['with a nonce of nobody’s', { nonce: 'made-up' }],
    ['with a nonce that is no text', { nonce: 7 }],
    ['that has run out', { exp: now() - 60 }],
  ])('%s is refused (section 4.3)', async (_what, claims) => {
    await refused(await proof(claims));
  });

  it.each(['/userinfo', '/token/introspection', '/request', '/tokens', '//token', '/token/'])(
    'for %s is refused at the token endpoint (section 4.3, item 9)',
    async (path) => {
      await refused(await proof({ htu: gatehouse.issuer + path }));
    },
  );

  it.each<[string, object]>([
    ['of another type', { typ: 'JWT' }],
    ['without a type', { typ: undefined }],
    ['that calls for extensions we do not know', { crit: ['x'], x: 1 }],
  ])('%s is refused', async (_what, header) => {
    const input = `${part({ alg: 'ES256', typ: 'dpop+jwt', jwk: pair.jwk, ...header })}.${part(usual())}`;
    await refused(`${input}.${Buffer.alloc(64).toString('base64url')}`);
    if (!('crit' in header)) await refused(await proof({}, header));
  });

  it('whose key is another than the one that signed is refused', async () => {
    const thief = await newPair();
    await refused(await proof({}, {}, { privateKey: thief.privateKey, jwk: pair.jwk }));
  });

  it('that brings a private key is refused (section 4.3, item 7)', async () => {
    await refused(await proof({}, { jwk: await exportJWK(pair.privateKey) }));
  });

  it('without a key, or with one by reference, is refused', async () => {
    await refused(await proof({}, { jwk: undefined }));
    await refused(await proof({}, { jwk: undefined, jku: 'https://evil.example/jwks', kid: 'x' }));
  });

  it.each(['none', 'HS256', 'HS512'])('signed with %s is refused (section 4.3, item 5)', async (alg) => {
    const secret = Buffer.from('secret');
    const jwk = { kty: 'oct', k: secret.toString('base64url') };
    const input = `${part({ alg, typ: 'dpop+jwt', jwk })}.${part(usual())}`;
    const mac = alg === 'none' ? '' : createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url');
    await refused(`${input}.${mac}`);
  });

  it.each(['', 'x', 'a.b.c', '%', 'null', `${'a'.repeat(8000)}.b.c`])(
    '%.20j is refused without a failure',
    async (text) => {
      const { status } = await token(text);
      // An empty header is none.
      expect(status).toBe(text === '' ? 200 : 400);
      expect(gatehouse.logged.filter((line) => Number(line['level']) >= 50)).toEqual([]);
    },
  );

  it('sent twice in one request is refused (section 4.3, item 1)', async () => {
    await refused(`${await proof()}, ${await proof()}`);
  });

  describe('protects a token that was stolen', () => {
    it('from being used as a bearer token (section 7.2)', async () => {
      const accessToken = await boundToken();
      const { status } = await answer(
        await fetch(`${gatehouse.issuer}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } }),
      );
      expect(status).toBe(401);
    });

    it('from being used with the thief’s own key, or none', async () => {
      const accessToken = await boundToken();
      const thief = await newPair();
      const forged = await proof({ ...usual('/userinfo', 'GET'), ath: ath(accessToken) }, {}, thief);
      expect((await ask(accessToken, { DPoP: forged })).status).toBe(401);
      expect((await ask(accessToken, {})).status).toBeGreaterThanOrEqual(400);
    });

    it.each<[string, (accessToken: string) => object]>([
      ['no token', () => ({})],
      ['another token', () => ({ ath: ath('another') })],
      ['the token, for another address', (it_) => ({ ath: ath(it_), htu: 'https://api.example/' })],
      ['the token, by another method', (it_) => ({ ath: ath(it_), htm: 'POST' })],
    ])('from being used with a proof that is about %s (section 4.3, item 12)', async (_what, claims) => {
      const accessToken = await boundToken();
      const stolen = await proof({ ...usual('/userinfo', 'GET'), ...claims(accessToken) });
      expect((await ask(accessToken, { DPoP: stolen })).status).toBeGreaterThanOrEqual(400);
    });

    it('from being used with a proof seen before (section 11.1)', async () => {
      const accessToken = await boundToken();
      const seen = await proof({ ...usual('/userinfo', 'GET'), ath: ath(accessToken) });
      expect((await ask(accessToken, { DPoP: seen })).status).toBe(200);
      expect((await ask(accessToken, { DPoP: seen })).status).toBe(401);
    });
  });
});
