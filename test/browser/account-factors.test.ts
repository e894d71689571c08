import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../support/authenticator.ts';
import { chromiumPath, launch, screenshot, violations } from '../support/chromium.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const DEVICE = {
  protocol: 'ctap2',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
} as const;

describe.skipIf(!chromiumPath)('passkeys and second factors on the account page in Chromium', () => {
  let gatehouse: Running;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_PASSKEYS_OFFER: 'false' });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await gatehouse?.stop();
  });

  it.each([
    ['light', 1280, 760],
    ['dark', 320, 640],
  ] as const)(
    'are added, used and removed by keyboard, and pass axe (%s, %i px)',
    async (colorScheme, width, height) => {
      const person = await gatehouse.person();
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      const cdp = await context.newCDPSession(page);
      await cdp.send('WebAuthn.enable');
      await cdp.send('WebAuthn.addVirtualAuthenticator', { options: DEVICE });
      const shot = async (name: string) => {
        expect(await violations(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
        await page.emulateMedia({ colorScheme });
        await screenshot(page, `account-${name}-${width}-${colorScheme}`);
      };
      const press = async (role: 'button' | 'link', name: string) => {
        await page.getByRole(role, { name, exact: true }).first().focus();
        await page.keyboard.press('Enter');
      };
      const at = (heading: string) => page.getByRole('heading', { name: heading, level: 1 }).waitFor();

      await page.goto(`${gatehouse.issuer}/account/passkeys`);
      await page.getByLabel('E-mail').fill(person.email);
      await page.getByLabel('Password').fill(person.password);
      await page.keyboard.press('Enter');
      await at('Passkeys');
      await shot('passkeys-none');
      await press('link', 'Add a passkey');
      await at('Add a passkey');
      await page.getByRole('button', { name: 'Create a passkey' }).waitFor();
      await shot('passkeys-add');
      await press('button', 'Create a passkey');
      await page.getByText('You can sign in with it from now on').waitFor();
      await shot('passkeys');
      await press('link', 'Rename Passkey');
      await page.getByLabel('Name', { exact: true }).fill('');
      await page.getByLabel('Name', { exact: true }).fill('x'.repeat(61));
      await page.keyboard.press('Enter');
      await page.getByRole('alert').first().waitFor();
      await shot('passkeys-rename-error');
      await page.getByLabel('Name', { exact: true }).fill('The laptop on my desk');
      await page.keyboard.press('Enter');
      await page.getByText('is called The laptop on my desk now').waitFor();

      await page.goto(`${gatehouse.issuer}/account/authenticator`);
      await shot('authenticator-none');
      await press('link', 'Set up an app');
      await at('Set up an authenticator app');
      await page.getByText('I cannot scan it').click();
      await shot('authenticator-add');
      const secret = (await page.locator('#secret').innerText()).replaceAll(' ', '');
      await page.getByLabel('Code from the app').fill('000000');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').first().waitFor();
      await page.locator('#code:focus').waitFor();
      await shot('authenticator-add-error');
      await page.getByLabel('Code from the app').fill(await codeOf(secret));
      await page.keyboard.press('Enter');
      await at('Your recovery codes');
      await shot('recovery-codes-new');
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      // It says so for two seconds.
      const said = page.getByRole('button', { name: 'Copy all recovery codes' }).getByText('Copied').waitFor();
      await press('button', 'Copy all recovery codes');
      await said;
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
        (await page.locator('.gh-codes__list code').allInnerTexts()).join('\n'),
      );
      await press('link', 'I have put them away');
      await at('Authenticator app');
      await shot('authenticator');

      const [code] = await gatehouse.factors.renewRecoveryCodes(person.sub);
      for (const next of await gatehouse.factors.renewRecoveryCodes(person.sub).then((all) => all.slice(0, 8)))
        await gatehouse.factors.useRecoveryCode(person.sub, next);
      expect(code).toBeDefined();
      await page.goto(`${gatehouse.issuer}/account/recovery-codes`);
      await shot('recovery-codes-few');
      await page.goto(`${gatehouse.issuer}/account`);
      await shot('overview-factors');
      await page.goto(`${gatehouse.issuer}/account/remembered`);
      await shot('remembered-none');
      for (const name of ['Firefox, Windows', 'Safari, iOS'])
        await gatehouse.factors.devices.remember(person.sub, name);
      await page.goto(`${gatehouse.issuer}/account/remembered`);
      await shot('remembered');
      await press('button', 'Forget all devices');
      await page.getByText('All devices ask for the second step again').waitFor();
      await page.goto(`${gatehouse.issuer}/account/authenticator/remove`);
      await shot('authenticator-remove');
      await press('button', 'Remove the app');
      await page.getByText('The authenticator app is removed').waitFor();
      await page.goto(`${gatehouse.issuer}/account/passkeys`);
      await press('link', 'Remove The laptop on my desk');
      await at('Remove passkey');
      await shot('passkeys-remove');

      // In a browser that has proved nothing the passkey itself signs in, and that is proof enough; autofill answers by itself here.
      await context.clearCookies();
      await page.goto(`${gatehouse.issuer}/account/passkeys/add`);
      await at('Add a passkey');
      await press('button', 'Create a passkey');
      await page.getByText('There is a passkey for this account on this device already.').waitFor();
      await shot('passkeys-add-exists');
      expect(complaints.filter((text) => !/status of (400|401)/.test(text))).toEqual([]);
      await context.close();
    },
    180_000,
  );

  it('say what is missing in a browser without passkeys, and without script', async () => {
    const person = await gatehouse.person();
    const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.addInitScript('delete window.PublicKeyCredential');
    await page.goto(`${gatehouse.issuer}/account/passkeys/add`);
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.keyboard.press('Enter');
    await page.getByText('This browser cannot make passkeys.').waitFor();
    expect(await page.getByRole('button', { name: 'Create a passkey' }).isVisible()).toBe(false);
    await screenshot(page, 'account-passkeys-add-unsupported');
    const { cookies } = await context.storageState();
    const plain = await browser.newContext({ viewport: { width: 390, height: 800 }, javaScriptEnabled: false });
    await plain.addCookies(cookies);
    const without = await plain.newPage();
    await without.goto(`${gatehouse.issuer}/account/passkeys/add`);
    expect(await without.locator('main noscript').innerHTML()).toContain('needs JavaScript');
    expect(await without.locator('form[data-passkey]').isVisible()).toBe(false);
    await plain.close();
    await context.close();
  });
});
