/** An attacker uses our address to lead people elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, beginConsent } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const EVIL = 'https://evil.example/';
const DISGUISES = [
  EVIL,
  '//evil.example',
  '/\\evil.example',
  'https:evil.example',
  'https://app.example@evil.example/callback',
  'https://app.example.evil.example/callback',
  'https://evil.example#https://app.example/callback',
  'javascript:alert(1)',
  'data:text/html,x',
  'https://app.example/callback/../../evil',
  'https://app.example/callback?next=https://evil.example',
  'https://APP.example/callback',
  'https://app.example:444/callback',
  'http://app.example/callback',
];

describe('our address leads nobody', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(
      gatehouse,
      await gatehouse.app({ post_logout_redirect_uris: ['https://app.example/signed-out'] }),
    );
  });
  afterAll(() => gatehouse.stop());

  it.each(DISGUISES)('by the redirect_uri %s: the page stays ours, also after signing in', async (redirect_uri) => {
    const browser = new Browser(gatehouse.issuer);
    const refused = await begin(rp, browser, { redirect_uri });
    expect(refused.url.origin).toBe(gatehouse.issuer);
    expect(refused.status).toBe(400);
    await beginConsent(rp, browser, await gatehouse.person());
    const signedIn = await begin(rp, browser, { redirect_uri, prompt: 'none' });
    expect(signedIn.url.origin).toBe(gatehouse.issuer);
  });

  it.each([...DISGUISES, 'https://app.example/signed-out/', 'https://app.example/signed-out?x'])(
    'by the post_logout_redirect_uri %s',
    async (post_logout_redirect_uri) => {
      const query = new URLSearchParams({ client_id: rp.app.client_id, post_logout_redirect_uri });
      const page = await new Browser(gatehouse.issuer).open(`/session/end?${query.toString()}`);
      expect(page.url.origin).toBe(gatehouse.issuer);
      expect(page.status).toBe(400);
    },
  );

  it('by an error: what was refused for its redirect_uri is told to the person alone', async () => {
    const query = new URLSearchParams({ client_id: rp.app.client_id, redirect_uri: EVIL, response_type: 'token' });
    const response = await fetch(`${gatehouse.issuer}/auth?${query.toString()}`, { redirect: 'manual' });
    expect(response.headers.get('location')).toBeNull();
  });

  it('by an unsigned way back to the app of a sign-in that was never begun', async () => {
    for (const path of [
      '/auth/unknown',
      '/interaction/unknown',
      '/interaction/unknown/restart',
      '/federation/x/callback',
    ])
      expect((await new Browser(gatehouse.issuer).open(`${path}?url=${EVIL}&returnTo=${EVIL}`)).url.origin).toBe(
        gatehouse.issuer,
      );
  });
});
