import * as oidc from 'openid-client';
import { describe, expect, it } from 'vitest';
import { withOutages } from '../support/breakable.ts';
import { Browser } from '../support/browser.ts';
import { relyingParty } from '../support/relying-party.ts';

describe('a store that goes away', () => {
  const outages = withOutages({ GATEHOUSE_LIFETIMES_REFRESH_TOKEN_GRACE: '0' });

  it('gives 503 with Retry-After to programs and people, turns readiness red, and all recovers by itself', async () => {
    const { gatehouse } = outages;
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const person = await gatehouse.person();
    const tokens = await rp.signIn(person, { scope: 'openid email offline_access' });
    const refresh = () =>
      fetch(rp.config.serverMetadata().token_endpoint!, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${rp.app.client_id}:${rp.app.client_secret}`)}` },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token! }),
      });
    const { url } = await rp.request();

    await outages.during(async () => {
      const refused = await refresh();
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
      const page = await new Browser(gatehouse.issuer).request(url);
      expect(page.status).toBe(503);
      expect(page.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(await page.text()).toContain('Wait a few seconds and try again');
      expect((await fetch(`${gatehouse.issuer}/ready`)).status).toBe(503);
      expect((await fetch(`${gatehouse.issuer}/health`)).status).toBe(200);
    });

    expect((await refresh()).status).toBe(200);
    const again = await rp.signIn(person);
    expect(again.claims()?.sub).toBe(person.sub);
    await expect(oidc.refreshTokenGrant(rp.config, tokens.refresh_token!)).rejects.toThrow();
  }, 60_000);
});
