import * as oidc from 'openid-client';
import { decodeJwt, calculateJwkThumbprint, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey } from '../support/client-keys.ts';
import { as } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, browserFor } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';

describe('DPoP (RFC 9449)', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  it('is asked for where the client must use it', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app({ protocol: { dpop_bound_access_tokens: true } }));
    const refused = await authorize(rp, person);
    await expect(rp.redeem(refused.callback, refused.checks)).rejects.toMatchObject({ error: 'invalid_grant' });
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair());
    const { callback, checks } = await authorize(rp, person);
    const tokens = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    expect(tokens.token_type).toBe('dpop');
  });

  it('binds the code too, so that only the key that asked for it redeems it', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const keys = await oidc.randomDPoPKeyPair('ES256', { extractable: true });
    const dpop_jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
    const begin = async () => {
      const { url, checks } = await rp.request({ dpop_jkt });
      return { callback: await clickThrough(browserFor(rp), url, person), checks };
    };
    const redeem = async ({ callback, checks }: Awaited<ReturnType<typeof begin>>, pair: oidc.CryptoKeyPair) =>
      oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP: oidc.getDPoPHandle(rp.config, pair) });
    await expect(redeem(await begin(), await oidc.randomDPoPKeyPair())).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect((await redeem(await begin(), keys)).token_type).toBe('dpop');
  });

  it('binds a pushed request by the proof that comes with it', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair());
    const { url, checks } = await rp.request();
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams, { DPoP });
    const callback = await clickThrough(browserFor(rp), pushed, person);
    await expect(rp.redeem(callback, checks)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('binds the tokens of a service', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const rp = await relyingParty(gatehouse, await gatehouse.app({ type: 'service', scope: 'notes:read' }));
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair());
    const fields = { resource: api.resource!, scope: 'notes:read' };
    const { access_token } = await oidc.clientCredentialsGrant(rp.config, fields, { DPoP });
    const { cnf } = decodeJwt(access_token);
    expect((await as(gatehouse, api).introspect(access_token)).body).toMatchObject({ cnf, token_type: 'DPoP' });
  });

  it('with nonces of ours: a client that knows the protocol does not notice', async () => {
    const strict = await startGatehouse({ GATEHOUSE_OAUTH_DPOP_NONCE: 'true' });
    const rp = await relyingParty(strict, await strict.app());
    const ada = await strict.person();
    const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair());
    const { callback, checks } = await authorize(rp, ada, { scope: 'openid email offline_access' });
    const tokens = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    expect(await oidc.fetchUserInfo(rp.config, tokens.access_token, ada.sub, { DPoP })).toHaveProperty('email');
    expect((await oidc.refreshTokenGrant(rp.config, tokens.refresh_token!, {}, { DPoP })).token_type).toBe('dpop');
    await strict.stop();
  });
});

describe('pairwise subjects (OpenID Connect Core, section 8)', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  const pairwiseApp = async (host: string) =>
    relyingParty(
      gatehouse,
      await gatehouse.app({ redirect_uris: [`https://${host}/cb`], protocol: { subject_type: 'pairwise' } }),
    );

  it('are the same for the same app and sector, others for another, and never the account id', async () => {
    const subjects = [];
    for (const host of ['one.example', 'one.example', 'two.example'])
      subjects.push((await (await pairwiseApp(host)).signIn(person)).claims()!.sub);
    const [first, again, other] = subjects;
    expect(first).toBe(again);
    expect(new Set([first, other, person.sub]).size).toBe(3);
  });

  it('are what ID token, userinfo, introspection and tokens for an API say', async () => {
    const rp = await pairwiseApp('three.example');
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const plain = await rp.signIn(person);
    const { sub } = plain.claims()!;
    expect((await oidc.fetchUserInfo(rp.config, plain.access_token, sub)).sub).toBe(sub);
    expect((await as(gatehouse, rp.app).introspect(plain.access_token)).body['sub']).toBe(sub);
    const { access_token } = await rp.signIn(person, { resource: api.resource! });
    expect(decodeJwt(access_token).sub).toBe(sub);
    expect((await as(gatehouse, api).introspect(access_token)).body).toMatchObject({ active: true, sub });
    expect((await oidc.fetchUserInfo(rp.config, access_token, sub)).sub).toBe(sub);
  });

  it('of a token for an API end with the account', async () => {
    const rp = await pairwiseApp('four.example');
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const eve = await gatehouse.person();
    const { access_token } = await rp.signIn(eve, { resource: api.resource! });
    await gatehouse.access.suspend(eve.sub);
    expect((await as(gatehouse, api).introspect(access_token)).body).toEqual({ active: false });
  });
});

describe('a client with the FAPI 2.0 profile', () => {
  let gatehouse: Running;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());

  async function fapi(fapi_profile: 'security' | 'message_signing') {
    const key = await clientKey('ES256');
    const app = await gatehouse.app({
      protocol: { fapi_profile, token_endpoint_auth_method: 'private_key_jwt', jwks: key.jwks },
    });
    const auth = oidc.PrivateKeyJwt({ key: key.key, kid: key.kid });
    const execute = fapi_profile === 'message_signing' ? [oidc.useJwtResponseMode] : [];
    const rp = await relyingParty(gatehouse, app, { auth, execute });
    return { rp, key, DPoP: oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair()) };
  }

  it('signs people in by a pushed request, its key and a bound token', async () => {
    const { rp, DPoP } = await fapi('security');
    const { url, checks } = await rp.request();
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams, { DPoP });
    const callback = await clickThrough(browserFor(rp), pushed, person);
    const tokens = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    expect([tokens.token_type, tokens.claims()!.sub]).toEqual(['dpop', person.sub]);
  });

  it('signs its requests and gets signed answers', async () => {
    const { rp, key, DPoP } = await fapi('message_signing');
    const { url, checks } = await rp.request();
    const signed = await oidc.buildAuthorizationUrlWithJAR(rp.config, url.searchParams, key, {
      [oidc.modifyAssertion]: (_header: object, payload: Record<string, unknown>) => {
        payload['nbf'] = payload['iat'];
      },
    });
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, signed.searchParams, { DPoP });
    const callback = await clickThrough(browserFor(rp), pushed, person);
    expect([...callback.searchParams.keys()]).toEqual(['response']);
    const tokens = await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP });
    expect(tokens.claims()!.sub).toBe(person.sub);
  });

  it('gets nothing by a request in the address, nor without a bound token', async () => {
    const { rp } = await fapi('security');
    const { url, checks } = await rp.request();
    expect((await browserFor(rp).open(url)).url.searchParams.get('error')).toBe('invalid_request');
    const pushed = await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams);
    const callback = await clickThrough(browserFor(rp), pushed, person);
    await expect(rp.redeem(callback, checks)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('is refused with a secret', async () => {
    await expect(gatehouse.app({ protocol: { fapi_profile: 'security' } })).rejects.toMatchObject({
      field: 'token_endpoint_auth_method',
    });
  });
});
