/** The page after a log-out in Chromium: it changes in place, frames load, and nobody is held up. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startParty, toldTimes } from '../support/log-out-receiver.ts';
import type { Party } from '../support/log-out-receiver.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

describe.skipIf(!chromiumPath)('the page after a log-out', () => {
  let chromium: Browser;
  let gatehouse: Running;
  let slow: Party;
  let framed: RelyingParty;
  /** An app's pages: where people come back to, and what is opened in a frame. */
  let site: Server;
  let origin: string;
  let uris: { redirect_uris: string[]; post_logout_redirect_uris: string[] };
  let asked: string[];
  let page: Page;

  beforeAll(async () => {
    chromium = await launch();
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    site = createServer((req, res) => {
      asked.push(req.url!);
      const script = '<script>try { top.location = "/led-away" } catch {} ; open("/window")</script>';
      res.setHeader('content-type', 'text/html').end(`<h1>An app</h1>${req.url!.startsWith('/out') ? script : ''}`);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    origin = `http://localhost:${(site.address() as AddressInfo).port}`;
    uris = { redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/bye`] };
    const app = await gatehouse.app({
      ...uris,
      name: 'Framed',
      first_party: true,
      frontchannel_logout_uri: `${origin}/out`,
    });
    framed = await relyingParty(gatehouse, app);
  });
  beforeEach(async () => {
    asked = [];
    // A new one each time: one that did not answer is left alone for a while.
    slow = await startParty(gatehouse, 'Slow', { ...uris, first_party: true });
    page = await (await chromium.newContext({ locale: 'en' })).newPage();
  });
  afterEach(async () => {
    await page.context().close();
    await slow.stop();
  });
  afterAll(async () => {
    await chromium.close();
    await gatehouse.stop();
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
  });

  async function signIn(rp: RelyingParty, person?: { email: string; password: string }): Promise<void> {
    await page.goto((await rp.request({ scope: 'openid' })).url.href);
    if (person) {
      await page.fill('input[name=email]', person.email);
      await page.fill('input[name=password]', person.password);
      await page.click('button[type=submit]');
    }
    await page.waitForURL(/\/callback/);
  }
  async function logOut(query = ''): Promise<void> {
    await page.goto(`${gatehouse.issuer}/session/end${query}`);
    await page.click('button[name=logout]');
  }

  // The app has five seconds to answer: a busy machine may take them all.
  it('changes in place, without loading anew, and says so to those who do not see it', MEASURED, async () => {
    let release = () => undefined as void;
    slow.answer((res) => void (release = () => void res.writeHead(200).end()));
    await signIn(slow.rp, await gatehouse.person());
    await logOut();
    await page.waitForURL(/\/signed-out\//);
    await page.evaluate(() => Object.assign(globalThis, { stayed: true }));
    expect(await page.textContent('[role=status]')).toBe('Apps that have answered: 0 of 1.');
    expect(await page.textContent('.gh-chip')).toBe('Being told');
    await screenshot(page, 'signed-out-telling');
    await toldTimes(slow, 1);
    release();
    await page.locator('.gh-chip', { hasText: 'Signed out' }).waitFor();
    expect(await page.textContent('[role=status]')).toBe('Every app that we can tell has signed you out.');
    expect(await page.evaluate(() => 'stayed' in globalThis)).toBe(true);
    expect(await violations(page)).toEqual([]);
  });

  it('goes back to the app soon, though another does not answer', async () => {
    slow.answer(() => undefined);
    await signIn(slow.rp, await gatehouse.person());
    const query = new URLSearchParams({ client_id: slow.app.client_id, post_logout_redirect_uri: `${origin}/bye` });
    await logOut(`?${query.toString()}`);
    await page.waitForURL(`${origin}/bye`);
  });

  it('loads the frame of an app, which can lead nobody away', async () => {
    slow.answer(() => undefined);
    await signIn(framed, await gatehouse.person());
    await signIn(slow.rp);
    await logOut();
    await page.waitForURL(/\/signed-out\//);
    expect(await page.locator('.gh-receipt li').count()).toBe(2);
    await expect.poll(() => asked.filter((url) => url.startsWith('/out?iss='))).toHaveLength(1);
    await page.locator('.gh-chip', { hasText: 'Asked' }).waitFor();
    expect(page.url()).toContain('/signed-out/');
    expect(asked).not.toContain('/led-away');
    expect(page.context().pages()).toHaveLength(1);
    expect(await violations(page)).toEqual([]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1280, 320]) {
        await page.setViewportSize({ width, height: 800 });
        await screenshot(page, `signed-out-${colorScheme}-${width}`);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
    }
  });

  it('works without scripts as well', MEASURED, async () => {
    await page.context().close();
    page = await (await chromium.newContext({ locale: 'en', javaScriptEnabled: false })).newPage();
    let release = () => undefined as void;
    slow.answer((res) => void (release = () => void res.writeHead(200).end()));
    await signIn(slow.rp, await gatehouse.person());
    await logOut();
    await page.waitForURL(/\/signed-out\//);
    await toldTimes(slow, 1);
    release();
    await page.waitForURL(/\/signed-out\/[\w-]+\?again=1/);
    await page.waitForSelector('.gh-chip--ok');
  });
});
