/** What the plans of FAPI 2.0 ask: their clients are registered by an admin, as the suite wants them, on the same server. */
import * as oidc from 'openid-client';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { clientKey } from '../support/client-keys.ts';
import type { ClientKey } from '../support/client-keys.ts';
import { CHECKS, REDIRECT, startForConformance, suiteClient } from '../support/conformance.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { clickThrough } from '../support/relying-party.ts';

const DAY = 86_400;

describe('the plans of FAPI 2.0', () => {
  let gatehouse: Running;
  let person: Person;
  let keys: ClientKey;
  beforeAll(async () => {
    gatehouse = await startForConformance();
    person = await gatehouse.person();
    keys = await clientKey('PS256');
  });
  afterAll(() => gatehouse.stop());

  async function fapiClient(
    fapi_profile: 'security' | 'message_signing',
    execute: ((c: oidc.Configuration) => void)[] = [],
  ) {
    const app = await gatehouse.app({
      redirect_uris: [REDIRECT],
      protocol: {
        fapi_profile,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: keys.jwks,
        grant_types: ['authorization_code', 'refresh_token'],
      },
    });
    const metadata = { id_token_signed_response_alg: 'ES256', authorization_signed_response_alg: 'ES256' };
    const config = await oidc.discovery(new URL(gatehouse.issuer), app.client_id, metadata, oidc.PrivateKeyJwt(keys), {
      execute: [oidc.allowInsecureRequests, ...execute],
    });
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
    return { config, DPoP };
  }
  const parameters = async (pkceCodeVerifier: string) => ({
    redirect_uri: REDIRECT,
    scope: 'openid email',
    state: 'the state',
    nonce: 'the nonce',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });

  it('Security Profile: pushed, bound by DPoP, with an ID token signed as FAPI allows', async () => {
    const { config, DPoP } = await fapiClient('security');
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const url = await oidc.buildAuthorizationUrlWithPAR(config, await parameters(pkceCodeVerifier), { DPoP });
    const callback = await clickThrough(new Browser(gatehouse.issuer), url, person);
    const tokens = await oidc.authorizationCodeGrant(config, callback, { ...CHECKS, pkceCodeVerifier }, {}, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(decodeProtectedHeader(tokens.id_token!).alg).toBe('ES256');
    expect(await oidc.fetchUserInfo(config, tokens.access_token, person.sub, { DPoP })).toHaveProperty('email');
  });

  it('a pushed request opened twice before it is answered still succeeds', async () => {
    const { config, DPoP } = await fapiClient('security');
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const url = await oidc.buildAuthorizationUrlWithPAR(config, await parameters(pkceCodeVerifier), { DPoP });
    const browser = new Browser(gatehouse.issuer);
    expect((await browser.open(url)).status).toBe(200);
    expect((await clickThrough(browser, url, person)).searchParams.has('code')).toBe(true);
  });

  it('a refresh token goes on being good, and is replaced only lest it expires in use (section 5.3.2.1)', async () => {
    const { config, DPoP } = await fapiClient('security');
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const asked = { ...(await parameters(pkceCodeVerifier)), scope: 'openid offline_access', prompt: 'consent' };
    const url = await oidc.buildAuthorizationUrlWithPAR(config, asked, { DPoP });
    const callback = await clickThrough(new Browser(gatehouse.issuer), url, person);
    const tokens = await oidc.authorizationCodeGrant(config, callback, { ...CHECKS, pkceCodeVerifier }, {}, { DPoP });
    const refresh = async (token: string) =>
      (await oidc.refreshTokenGrant(config, token, {}, { DPoP })).refresh_token ?? token;
    const first = tokens.refresh_token!;
    try {
      expect(await refresh(first)).toBe(first);
      passTime(60);
      expect(await refresh(first)).toBe(first);
      passTime(6 * DAY); // of a week
      const second = await refresh(first);
      expect(second).not.toBe(first);
      expect(await refresh(second)).toBe(second);
    } finally {
      backToNow();
    }
  });

  it('Message Signing: a signed request, a signed answer', async () => {
    const { config, DPoP } = await fapiClient('message_signing', [oidc.useJwtResponseMode]);
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const signed = await oidc.buildAuthorizationUrlWithJAR(config, await parameters(pkceCodeVerifier), keys);
    const url = await oidc.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP });
    const callback = await clickThrough(new Browser(gatehouse.issuer), url, person);
    expect([...callback.searchParams.keys()]).toEqual(['response']);
    const tokens = await oidc.authorizationCodeGrant(config, callback, { ...CHECKS, pkceCodeVerifier }, {}, { DPoP });
    expect(tokens.claims()?.sub).toBe(person.sub);
  });

  it('what the other plans are spared is still asked of FAPI clients, and of public ones', async () => {
    const { config, DPoP } = await fapiClient('security');
    const { redirect_uri, scope, state, nonce } = await parameters('x');
    const without = { redirect_uri, scope, state, nonce };
    await expect(oidc.buildAuthorizationUrlWithPAR(config, without, { DPoP })).rejects.toMatchObject({
      error: 'invalid_request',
    });
    const publicly = await suiteClient(gatehouse, { token_endpoint_auth_method: 'none' }, () => oidc.None());
    const page = await new Browser(gatehouse.issuer).open(publicly.url());
    expect(page.url.searchParams.get('error')).toBe('invalid_request');
  });
});
