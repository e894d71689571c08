/** An attacker's page lays ours under its own, so that a click there is a consent here. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { chromiumPath, launch } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, beginConsent, linkNamed } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('no page of ours lets itself be framed', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => gatehouse.stop());

  it('neither those of a sign-in, nor errors, nor what is elsewhere', async () => {
    const browser = new Browser(gatehouse.issuer);
    const signIn = await begin(rp, browser);
    const pages: Page[] = [
      signIn,
      await browser.open(linkNamed(signIn, 'Create an account')),
      await browser.submit(signIn, { email: 'a@example.com', password: 'wrong password' }),
      await beginConsent(rp, browser, await gatehouse.person()),
      await browser.open('/session/end'),
      await browser.open('/'),
      await browser.open('/nowhere'),
      await browser.open('/auth?client_id=nobody'),
      await browser.open('/interaction/gone'),
      await browser.open('/mailed/reset-password?token=x'),
    ];
    for (const { headers, url } of pages) {
      expect([url.pathname, headers.get('x-frame-options')]).toEqual([url.pathname, 'DENY']);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it.skipIf(!chromiumPath)('and a browser obeys', async () => {
    const { url } = await rp.request();
    const site = createServer((_request, response) => {
      response
        .setHeader('content-type', 'text/html')
        .end(`<iframe src="${url.href.replaceAll('&', '&amp;')}"></iframe>`);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const chromium = await launch();
    const page = await chromium.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`, { waitUntil: 'networkidle' });
    const framed = page.frames()[1]!;
    expect(await framed.locator('input').count()).toBe(0);
    expect(framed.url()).toContain('chrome-error');
    await chromium.close();
    await new Promise((resolve) => site.close(resolve));
  });
});
