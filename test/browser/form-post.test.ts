import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { chromiumPath, launch, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';

/** An app that takes its answer by POST, and sends its person on from there. */
async function startApp(redirectTo: () => string) {
  const posted: URLSearchParams[] = [];
  const server: Server = createServer((req, res) => {
    void (async () => {
      if (req.method === 'POST') {
        posted.push(new URLSearchParams(await text(req)));
        res.writeHead(303, { location: redirectTo() }).end();
      } else res.writeHead(200, { 'content-type': 'text/html' }).end('<title>Signed in</title><h1>Signed in</h1>');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted, stop };
}

describe.skipIf(!chromiumPath)('an answer by form_post in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  let app: Awaited<ReturnType<typeof startApp>>;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    browser = await launch();
    app = await startApp(() => '/welcome');
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    await gatehouse?.stop();
  });

  async function begin(javaScriptEnabled: boolean, parameters: Record<string, string> = {}) {
    const person = await gatehouse.person();
    const input = { first_party: true, redirect_uris: [`${app.origin}/callback`] };
    const rp = await relyingParty(gatehouse, await gatehouse.app(input));
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const { url, checks } = await rp.request({ response_mode: 'form_post', ...parameters });
    await page.goto(url.href);
    await page.fill('input[name=email]', person.email);
    await page.fill('input[name=password]', person.password);
    await page.keyboard.press('Enter');
    return { page, rp, checks, person, complaints, context };
  }

  async function redeems({ rp, checks, person }: Awaited<ReturnType<typeof begin>>): Promise<void> {
    const request = new Request(`${app.origin}/callback`, { method: 'POST', body: app.posted.at(-1)! });
    expect((await rp.redeem(request as never, checks)).claims()?.sub).toBe(person.sub);
  }

  it('is posted by itself, under a policy without inline script, and the person arrives at the app', async () => {
    const begun = await begin(true);
    const { page, complaints, context } = begun;
    await page.waitForURL(`${app.origin}/welcome`);
    expect(complaints).toEqual([]);
    await redeems(begun);
    await context.close();
  });

  it('waits for its button where scripts are off, says where it goes, and passes axe', async () => {
    const begun = await begin(false);
    const { page, context } = begun;
    const button = page.getByRole('button', { name: 'Continue' });
    await button.waitFor();
    expect(await page.getByRole('heading').first().textContent()).toContain(new URL(app.origin).host);
    await button.click();
    await page.waitForURL(`${app.origin}/welcome`);
    await redeems(begun);
    await context.close();
  });

  it('has no faults that axe would find, and carries what an attacker wrote into the state as text', async () => {
    const person = await gatehouse.person();
    const input = { first_party: true, redirect_uris: [`${app.origin}/callback`] };
    const rp = await relyingParty(gatehouse, await gatehouse.app(input));
    const page = await (await browser.newContext()).newPage();
    await page.route('**/assets/form-post.js', (route) => route.fulfill({ body: '', contentType: 'text/javascript' }));
    const state = `"><script>document.title='owned'</script>'&amp;`;
    await page.goto((await rp.request({ response_mode: 'form_post', state })).url.href);
    await page.fill('input[name=email]', person.email);
    await page.fill('input[name=password]', person.password);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Continue' }).waitFor();
    expect(await page.locator('input[name=state]').getAttribute('value')).toBe(state);
    expect(await page.title()).not.toBe('owned');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(`${app.origin}/welcome`);
    expect(app.posted.at(-1)!.get('state')).toBe(state);
    await page.context().close();
  });
});
