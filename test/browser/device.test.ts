import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import { deviceApp, startDevice } from '../support/device.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

describe.skipIf(!chromiumPath)('connecting a device in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await gatehouse?.stop();
  });

  it.each([
    ['light', 1280, 900],
    ['dark', 320, 640],
  ] as const)(
    'goes by keyboard from the code to the end and passes axe (%s, %i px)',
    async (colorScheme, width, height) => {
      const person = await gatehouse.person();
      const device = await startDevice(gatehouse, await deviceApp(gatehouse));
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      const shot = async (name: string) => {
        expect(await violations(page)).toEqual([]);
        await page.emulateMedia({ colorScheme });
        await screenshot(page, `${name}-${colorScheme}-${width}`);
        expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      };
      await page.goto(device.code.verification_uri);
      await page.locator('#user_code:focus').waitFor();
      await page.getByText('Continue on your phone').click();
      await shot('device');
      await page.getByLabel('Code').fill('bbbb-bbbb');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      await shot('device-error');
      await page.getByLabel('Code').fill(device.code.user_code);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Connect Living Room?' }).waitFor();
      await shot('device-confirm');
      await page.getByRole('button', { name: 'Yes, it is my device' }).press('Enter');
      await page.getByLabel('E-mail').fill(person.email);
      await page.getByLabel('Password').fill(person.password);
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Allow' }).click();
      await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
      await shot('device-connected');
      expect((await device.poll()).claims()!.sub).toBe(person.sub);
      expect(complaints).toEqual([]);
      await context.close();
    },
  );
});
