import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { browserOn, openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';

const PAGES = [
  '',
  '/profile',
  '/email',
  '/password',
  '/providers',
  '/sessions',
  '/sessions/others',
  '/apps',
  '/activity',
  '/download',
  '/delete',
];
const SIZES = { phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 760 } };

describe.skipIf(!chromiumPath)('the account page in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_MAIL_MAILBOX: 'true' });
    browser = await launch();
    page = await (await browser.newContext({ viewport: SIZES.desktop })).newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    await rp.signIn(person, { scope: 'openid profile email offline_access' }, browserOn(gatehouse.issuer, 'phone'));
    await openAccount(browserOn(gatehouse.issuer, 'laptop'), person);
    await page.goto(`${gatehouse.issuer}/account`);
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Hello Ada Lovelace' }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await gatehouse?.stop();
  });

  it.each(PAGES)(
    '/account%s has nothing that axe minds, in light and dark, on a phone and on a desktop',
    async (path) => {
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        await page.goto(`${gatehouse.issuer}/account${path}`);
        expect(await violations(page)).toEqual([]);
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect([path, size, width]).toEqual([path, size, viewport.width]);
        const name = `account${path.replaceAll('/', '-')}-${size}`;
        await screenshot(page, `${name}-dark`);
        await page.emulateMedia({ colorScheme: 'light' });
        await screenshot(page, `${name}-light`);
      }
    },
  );

  it('has a menu on a phone that opens by keyboard', async () => {
    await page.setViewportSize(SIZES.phone);
    await page.goto(`${gatehouse.issuer}/account/apps`);
    await page.locator('.gh-menu summary').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Devices' }).click();
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
    await page.locator('.gh-menu summary').click();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'account-menu');
  });

  it('gave the browser nothing to complain of', () => {
    expect(complaints).toEqual([]);
  });
});
