import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { chromiumPath, launch, screenshot } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { codeOf } from '../support/authenticator.ts';
import { relyingParty } from '../support/relying-party.ts';

describe.skipIf(!chromiumPath)('second factors in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_FACTORS_POLICY: 'required' });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await gatehouse?.stop();
  });

  it.each([
    ['light', 1280, 900],
    ['dark', 320, 640],
  ] as const)('are added and proved by keyboard (%s, %i px)', async (colorScheme, width, height) => {
    const person = await gatehouse.person();
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const shot = async (name: string) => {
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `${name}-${colorScheme}-${width}`);
    };
    const signIn = async () => {
      await page.goto((await rp.request()).url.href);
      await page.getByLabel('E-mail').fill(person.email);
      await page.getByLabel('Password').fill(person.password);
      await page.keyboard.press('Enter');
    };
    await signIn();
    await page.getByRole('heading', { name: 'Add a second step' }).waitFor();
    await page.getByText('I cannot scan it').click();
    await shot('enrol');
    const secret = (await page.locator('#secret').innerText()).replaceAll(' ', '');
    await page.getByLabel('Code from the app').fill('000000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').first().waitFor();
    await shot('enrol-error');
    await page.getByLabel('Code from the app').fill(await codeOf(secret));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    await shot('recovery-codes');
    const [code] = await page.locator('.gh-codes__list code').allInnerTexts();
    await page.getByRole('link', { name: 'I have put them away' }).click();
    await page.getByRole('button', { name: 'Allow' }).waitFor();

    await context.clearCookies();
    await signIn();
    await page.getByRole('heading', { name: 'Confirm it is you' }).waitFor();
    await page.locator('#code:focus').waitFor();
    await shot('second-factor');
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').first().waitFor();
    await shot('second-factor-error');
    await page.getByRole('link', { name: 'I have none of these' }).click();
    await shot('factors-lost');
    await page.getByRole('link', { name: 'Use a recovery code' }).click();
    // Keys that are pressed before the page has its focus go nowhere.
    await page.locator('#code:focus').waitFor();
    await shot('recovery-code');
    await page.keyboard.type(code!);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    expect(complaints.filter((text) => !/status of (400|401)/.test(text))).toEqual([]);
    await context.close();
  });
});
