import * as oidc from 'openid-client';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answer, as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  atOnce,
  authorize,
  backToNow,
  browserFor,
  enterPassword,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { clickThrough, relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a client that goes further than it must', () => {
  let gatehouse: Running;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  describe('by pushing its request (PAR)', () => {
    async function push(parameters: Record<string, string> = {}) {
      const { url, checks } = await rp.request(parameters);
      return { url: await oidc.buildAuthorizationUrlWithPAR(rp.config, url.searchParams), checks };
    }

    it('signs people in', async () => {
      const { url, checks } = await push();
      const callback = await clickThrough(browserFor(rp), url, person);
      expect((await rp.redeem(callback, checks)).claims()!.sub).toBe(person.sub);
    });

    it('has a request that one browser can use once', async () => {
      const { url } = await push();
      const browser = browserFor(rp);
      await clickThrough(browser, url, person);
      const again = await browser.open(url);
      expect(again.url.searchParams.get('code')).toBeNull();
    });

    it('has a request that gives one code when used by many at once', async () => {
      const browser = browserFor(rp);
      await authorize(rp, person, {}, browser);
      const { url } = await push();
      const pages = await atOnce(10, () => browser.open(url));
      expect(pages.filter((page) => page.url.searchParams.has('code'))).toHaveLength(1);
      expect(pages.filter(({ status }) => status >= 500)).toEqual([]);
    });

    it('gets a refresh token for offline_access', async () => {
      const { url, checks } = await push({ scope: 'openid offline_access' });
      const callback = await clickThrough(browserFor(rp), url, person);
      expect((await rp.redeem(callback, checks)).refresh_token).toBeTypeOf('string');
    });

    it('has sign-ins that begin again after they expired', async () => {
      const { url } = await push();
      const browser = browserFor(rp);
      const page = await browser.open(url);
      passTime(3601);
      const late = await enterPassword(browser, page, person);
      expect(heading(await browser.open(linkNamed(late, 'Start again')))).toBe('Sign in to Acme Notes');
    });

    it('cannot push an address that is not registered', async () => {
      const { url } = await rp.request({ redirect_uri: 'https://evil.example/' });
      const pushed = await answer(
        await fetch(rp.config.serverMetadata().pushed_authorization_request_endpoint!, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${app.client_id}:${app.client_secret}`)}` },
          body: url.searchParams,
        }),
      );
      expect(pushed.status).toBe(400);
    });
  });

  describe('by binding its tokens to a key (DPoP)', () => {
    async function bound(parameters: Record<string, string> = {}) {
      const DPoP = oidc.getDPoPHandle(rp.config, await oidc.randomDPoPKeyPair('ES256'));
      const { callback, checks } = await authorize(rp, person, parameters);
      return { DPoP, tokens: await oidc.authorizationCodeGrant(rp.config, callback, checks, {}, { DPoP }) };
    }

    it('opens userinfo with proof', async () => {
      const { DPoP, tokens } = await bound();
      expect(tokens.token_type).toBe('dpop');
      const claims = await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub, { DPoP });
      expect(claims.sub).toBe(person.sub);
    });

    it('opens userinfo with a JWT for an API and proof', async () => {
      const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
      const { DPoP, tokens } = await bound({ resource: api.resource! });
      expect(decodeJwt(tokens.access_token)['cnf']).toHaveProperty('jkt');
      expect(await oidc.fetchUserInfo(rp.config, tokens.access_token, person.sub, { DPoP })).toHaveProperty('email');
      expect((await as(gatehouse, api).introspect(tokens.access_token)).body).toMatchObject({ token_type: 'DPoP' });
    });

    it('leaves a thief of the token nothing', async () => {
      const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
      for (const { tokens } of [await bound(), await bound({ resource: api.resource! })])
        expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
    });

    it('refreshes with the same key', async () => {
      const { DPoP, tokens } = await bound({ scope: 'openid offline_access' });
      const refreshed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token!, {}, { DPoP });
      expect(refreshed.token_type).toBe('dpop');
    });
  });
});
