import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser as Chromium, Page } from 'playwright-core';
import { createApi } from '../../examples/api/api.ts';
import { createSpa } from '../../examples/spa/server.ts';
import { Browser } from '../support/browser.ts';
import { chromiumPath, launch, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { clickThrough } from '../support/relying-party.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';

const OWN = { headers: { 'x-csrf': '1' } };
/** What tokens of Gatehouse look like: JWTs, and long opaque ones. */
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+|"(?:access|refresh|id)_token"/;

describe('the example browser app', () => {
  let gatehouse: Running;
  let spa: Listening;
  let api: Listening;
  let person: Person;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
    [spa, api] = await Promise.all([listen(), listen()]);
    await gatehouse.app({ type: 'api', resource: api.origin, scope: 'notes:read notes:write' });
    const { client_id, client_secret } = await gatehouse.app({
      redirect_uris: [`${spa.origin}/bff/callback`],
      post_logout_redirect_uris: [`${spa.origin}/`],
    });
    const common = { ISSUER: gatehouse.issuer, API_RESOURCE: api.origin };
    api.serve(await createApi(common));
    spa.serve(await createSpa({ ...common, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, ORIGIN: spa.origin }));
  });
  afterAll(async () => {
    backToNow();
    await Promise.all([spa.stop(), api.stop()]);
    await gatehouse.stop();
  });

  async function signedIn(): Promise<Browser> {
    const at = new Browser(spa.origin);
    const { url } = await at.open('/bff/sign-in');
    await at.open(await clickThrough(new Browser(gatehouse.issuer), url, person));
    return at;
  }
  const notes = async (at: Browser, init: RequestInit = OWN) => at.request('/bff/api/notes', init);

  it('tells the page who is signed in and gives it the notes, and no token ever', async () => {
    const at = await signedIn();
    const [who, what] = [await at.request('/bff/session', OWN), await notes(at)];
    const texts = [await who.text(), await what.text()];
    expect(JSON.parse(texts[0]!)).toEqual({ person: { sub: person.sub, name: 'Ada Lovelace', email: person.email } });
    expect(JSON.parse(texts[1]!)).toMatchObject({ notes: expect.any(Array) as unknown, owner: person.sub });
    for (const text of texts) expect(text).not.toMatch(TOKEN);
    const cookies = await at.jar.getCookies(spa.origin);
    expect(
      cookies.filter(({ key }) => !key.endsWith('.sig')).map(({ httpOnly, sameSite }) => [httpOnly, sameSite]),
    ).toEqual([[true, 'lax']]);
    for (const { value } of cookies) expect(value.length).toBeLessThan(100);
  });

  it('answers nothing to a request without the header that only its own page can send', async () => {
    const at = await signedIn();
    for (const [method, path] of [
      ['GET', '/bff/session'],
      ['GET', '/bff/api/notes'],
      ['DELETE', '/bff/api/notes'],
      ['POST', '/bff/sign-out'],
    ] as const) {
      expect((await at.request(path, { method })).status).toBe(403);
      const preflight = await at.request(path, {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example', 'access-control-request-headers': 'x-csrf' },
      });
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await notes(at)).status).toBe(200);
  });

  it('has another session after the sign-in than before it, and takes no answer that it did not ask for', async () => {
    const at = new Browser(spa.origin);
    const { url } = await at.open('/bff/sign-in');
    const before = await at.jar.getCookieString(spa.origin);
    const callback = await clickThrough(new Browser(gatehouse.issuer), url, person);
    const victim = new Browser(spa.origin);
    expect((await victim.open(callback)).url.search).toBe('?refused');
    await at.open(callback);
    expect(await at.jar.getCookieString(spa.origin)).not.toBe(before);
    expect(await (await victim.request('/bff/session', OWN)).json()).toEqual({ person: null });
  });

  it('refreshes by itself, and asks to sign in once that is over', async () => {
    const at = await signedIn();
    passTime(1000);
    expect((await notes(at)).status).toBe(200);
    await gatehouse.access.suspend(person.sub);
    passTime(1000);
    expect((await notes(at)).status).toBe(401);
    await gatehouse.access.resume(person.sub);
    backToNow();
  });

  it('passes on what the API says of scopes', async () => {
    const at = await signedIn();
    expect((await notes(at, { method: 'DELETE', ...OWN })).status).toBe(403);
  });

  describe.skipIf(!chromiumPath)('in Chromium', () => {
    let chromium: Chromium;
    beforeAll(async () => {
      chromium = await launch();
    });
    afterAll(() => chromium?.close());

    /** All that a script in the page can get at. */
    const inReach = (page: Page) =>
      page.evaluate<string>(
        `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML, location.href])`,
      );

    it('signs in, shows the notes, holds no token anywhere in the page, and signs out here and there', async () => {
      const page = await (await chromium.newContext()).newPage();
      const seen: Promise<string>[] = [];
      page.on('response', (response) => {
        if (response.url().startsWith(`${spa.origin}/bff/`) && response.status() === 200)
          seen.push(response.text().catch(() => ''));
      });
      await page.goto(spa.origin);
      await page.getByRole('link', { name: 'Sign in' }).click();
      await page.fill('input[name=email]', person.email);
      await page.fill('input[name=password]', person.password);
      await page.keyboard.press('Enter');
      await Promise.race([
        page.getByRole('button', { name: 'Allow' }).click(),
        page.getByText('Hello, Ada Lovelace').waitFor(),
      ]);
      await page.getByText('Hello, Ada Lovelace').waitFor();
      await page.getByRole('listitem').first().waitFor();
      expect(await inReach(page)).not.toMatch(TOKEN);
      expect(await violations(page)).toEqual([]);
      for (const text of await Promise.all(seen)) expect(text).not.toMatch(TOKEN);

      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL((url) => url.href.startsWith(gatehouse.issuer));
      await page.locator('button[name=logout], button[value=yes]').first().click();
      await page.getByRole('link', { name: 'Sign in' }).waitFor();
      await page.getByRole('link', { name: 'Sign in' }).click();
      await page.locator('input[name=password]').waitFor();
      await page.context().close();
    });
  });
});
