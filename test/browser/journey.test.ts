import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch, screenshot } from '../support/chromium.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';

/** An app whose callback sends people on to a third origin, as many do. */
async function onwardApp(): Promise<{ callback: string; destination: string; close(): void }> {
  const listen = (server: Server) =>
    new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    );
  const third = createServer((_req, res) => res.end('<title>arrived</title>'));
  const destination = `http://127.0.0.1:${await listen(third)}/arrived`;
  const app = createServer((req, res) =>
    res.writeHead(302, { location: `${destination}${new URL(req.url!, 'http://x').search}` }).end(),
  );
  const callback = `http://127.0.0.1:${await listen(app)}/callback`;
  return {
    callback,
    destination,
    close() {
      third.close();
      app.close();
    },
  };
}

describe.skipIf(!chromiumPath)('in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  let page: Page;
  let app: Awaited<ReturnType<typeof onwardApp>>;
  const complaints: string[] = [];

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_PLAYGROUND_ENABLED: 'true' });
    browser = await launch();
    app = await onwardApp();
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  });
  afterAll(async () => {
    await browser?.close();
    app?.close();
    await gatehouse?.stop();
  });

  it('a person signs up, consents, and arrives where the app sends them on to', async () => {
    const rp = await relyingParty(
      gatehouse,
      await gatehouse.app({ redirect_uris: [app.callback], post_logout_redirect_uris: [app.callback] }),
    );
    const { url, checks } = await rp.request({ scope: 'openid profile email offline_access' });
    await page.goto(url.href);
    await screenshot(page, 'sign-in');

    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Name').fill('Grace Hopper');
    await page.getByLabel('E-mail').fill('grace@example.com');
    await page.getByLabel('Password').fill('12345678');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await screenshot(page, 'sign-up-error');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');

    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await screenshot(page, 'consent');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(`${app.destination}**`);

    const callback = new URL(app.callback);
    callback.search = new URL(page.url()).search;
    const tokens = await rp.redeem(callback, checks);
    expect(tokens.claims()).toMatchObject({ email: 'grace@example.com', email_verified: false, name: 'Grace Hopper' });

    const signOut = new URL(rp.config.serverMetadata().end_session_endpoint!);
    signOut.search = new URLSearchParams({
      id_token_hint: tokens.id_token!,
      post_logout_redirect_uri: app.callback,
      state: 'bye',
    }).toString();
    await page.goto(signOut.href);
    await screenshot(page, 'log-out');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${app.destination}?state=bye`);
  });

  it('a newcomer tries a login in the playground, and signs out', async () => {
    await gatehouse.person({ email: 'newcomer@example.com' });
    await page.goto(gatehouse.issuer);
    await screenshot(page, 'landing');
    await page.getByRole('link', { name: 'Try a login' }).click();
    await page.getByRole('button', { name: 'Make the request' }).click();
    await page.getByRole('link', { name: 'Go to Gatehouse' }).click();
    await page.getByLabel('E-mail').fill('newcomer@example.com');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('button', { name: 'Refresh', exact: true }).click();
    await page.getByRole('button', { name: 'Call userinfo' }).click();
    await page.getByText('newcomer@example.com').first().waitFor();
    await screenshot(page, 'playground');
    await page.getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${gatehouse.issuer}/playground**`);
  });

  it('every page obeyed its own content security policy', () => {
    expect(complaints.filter((text) => /Content Security Policy|Refused/i.test(text))).toEqual([]);
  });
});
