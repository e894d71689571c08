/** What is good once is good once on all instances together: a hundred at the same moment, half of them on each of two. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { buildAuthorizationUrlWithPAR } from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { clientKey } from '../support/client-keys.ts';
import { as, userinfo } from '../support/endpoints.ts';
import type { Fields } from '../support/endpoints.ts';
import { startInstances } from '../support/instances.ts';
import type { Instances } from '../support/instances.ts';
import { atOnce, authorize, backToNow, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const MANY = 100;
const now = () => Math.floor(Date.now() / 1000);
const count = (statuses: number[], status: number) => statuses.filter((one) => one === status).length;

describe('of a hundred at once on two instances', { timeout: 120_000 }, () => {
  let instances: Instances;
  let issuer: string;
  let person: Person;
  let app: App;
  let rp: RelyingParty;
  beforeAll(async () => {
    instances = await startInstances();
    ({ issuer } = instances.all[0]);
    person = await instances.all[0].person();
    app = await instances.all[0].app({ first_party: true });
    rp = await relyingParty(instances.all[0], app);
  });
  afterAll(() => instances.stop());
  // Time stands still, so that a busy machine does not let anything expire.
  beforeEach(() => passTime(0));
  afterEach(backToNow);

  const at = (index: number) => instances.all[index % 2]!;

  it.each(['openid email', 'openid email offline_access'])(
    'with one code (%s) at most one is honoured, nobody fails, and nothing that it gave is alive',
    async (scope) => {
      const authorized = await authorize(rp, person, { scope });
      const answers = await atOnce(MANY, (index) => as(at(index), app).redeem(authorized));
      const honoured = answers.filter(({ status }) => status === 200);
      expect(honoured.length).toBeLessThanOrEqual(1);
      const others = answers.filter(({ status }) => status !== 200);
      expect(new Set(others.map(({ status, body }) => `${status} ${String(body['error'])}`))).toEqual(
        new Set(['400 invalid_grant']),
      );
      for (const { body } of honoured) {
        for (const instance of instances.all)
          expect((await userinfo(instance, String(body['access_token']))).status).toBe(401);
        expect((await as(at(1), app).refresh(String(body['refresh_token']))).status).toBe(400);
      }
    },
  );

  it('with one pushed request (PAR) one gets a code, and nobody fails', async () => {
    const browser = new Browser(issuer);
    await authorize(rp, person, {}, browser);
    const { url } = await rp.request();
    const pushed = await buildAuthorizationUrlWithPAR(rp.config, url.searchParams);
    const cookie = await browser.jar.getCookieString(pushed.href);
    const answers = await atOnce(MANY, async (index) =>
      fetch(new URL(pushed.pathname + pushed.search, at(index).issuer), {
        headers: { cookie, host: new URL(issuer).host },
        redirect: 'manual',
      }),
    );
    const codes = answers.flatMap(
      ({ headers }) => URL.parse(headers.get('location') ?? '')?.searchParams.get('code') ?? [],
    );
    expect(codes).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });

  it('with one client assertion one is let in (RFC 7523, section 3)', async () => {
    const keys = await clientKey();
    const service = await instances.all[0].app({
      type: 'service',
      protocol: { token_endpoint_auth_method: 'private_key_jwt', jwks: keys.jwks },
    });
    const { client_id } = service;
    const assertion = await new SignJWT({ iss: client_id, sub: client_id, aud: issuer, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: keys.kid })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(keys.key);
    const fields: Fields = {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    };
    const answers = await atOnce(MANY, async (index) =>
      fetch(`${at(index).issuer}/token`, { method: 'POST', body: new URLSearchParams(fields) }),
    );
    const statuses = answers.map(({ status }) => status);
    expect([count(statuses, 200), statuses.filter((status) => status >= 500)]).toEqual([1, []]);
  });

  describe('with one DPoP proof (RFC 9449, section 11.1)', () => {
    let key: CryptoKey;
    let jwk: JWK;
    beforeAll(async () => {
      const pair = await generateKeyPair('ES256', { extractable: true });
      key = pair.privateKey;
      jwk = await exportJWK(pair.publicKey);
    });
    const proof = (htm: string, path: string, claims: object = {}) =>
      new SignJWT({ htm, htu: issuer + path, jti: randomUUID(), iat: now(), ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(key);

    it('one refreshes; with proofs of their own all get the one successor', async () => {
      const spa = await instances.all[0].app({ type: 'spa', first_party: true });
      const authorized = await authorize(await relyingParty(instances.all[0], spa), person, {
        scope: 'openid offline_access',
      });
      const redeemed = await as(at(0), spa).token(
        {
          grant_type: 'authorization_code',
          code: authorized.callback.searchParams.get('code')!,
          redirect_uri: spa.redirect_uri,
          code_verifier: String(authorized.checks.pkceCodeVerifier),
        },
        { dpop: await proof('POST', '/token') },
      );
      const token = String(redeemed.body['refresh_token']);
      const one = await proof('POST', '/token');
      const statuses = (await atOnce(MANY, (index) => as(at(index), spa).refresh(token, {}, { dpop: one }))).map(
        ({ status }) => status,
      );
      expect([count(statuses, 200), count(statuses, 400)]).toEqual([1, MANY - 1]);

      const proofs = await Promise.all(Array.from({ length: MANY }, () => proof('POST', '/token')));
      const answers = await atOnce(MANY, (index) => as(at(index), spa).refresh(token, {}, { dpop: proofs[index]! }));
      expect(answers.map(({ status }) => status)).toEqual(Array(MANY).fill(200));
      expect(new Set(answers.map(({ body }) => body['refresh_token'])).size).toBe(1);
    });
  });

  it('that revoke one grant nobody fails, and it is gone', async () => {
    const { callback, checks } = await authorize(rp, person, { scope: 'openid offline_access' });
    const { refresh_token, access_token } = await rp.redeem(callback, checks);
    const answers = await atOnce(MANY, (index) => as(at(index), app).revoke(refresh_token!));
    expect(answers.map(({ status }) => status)).toEqual(Array(MANY).fill(200));
    for (const instance of instances.all) expect((await userinfo(instance, access_token)).status).toBe(401);
    expect((await as(at(1), app).refresh(refresh_token!)).body['error']).toBe('invalid_grant');
  });
});
