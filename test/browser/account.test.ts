import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

describe.skipIf(!chromiumPath)('the account page in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_MAIL_MAILBOX: 'true' });
    browser = await launch();
    page = await (await browser.newContext({ viewport: { width: 320, height: 640 } })).newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const person = await gatehouse.person();
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

  it('has a menu on a phone that opens by keyboard', async () => {
    await page.goto(`${gatehouse.issuer}/account/apps`);
    await page.locator('.gh-menu summary').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Devices', exact: true }).click();
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
    await page.locator('.gh-menu summary').click();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'account-menu');
  });

  it('gave the browser nothing to complain of', () => {
    expect(complaints).toEqual([]);
  });
});
