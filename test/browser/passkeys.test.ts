import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch, screenshot, tabTo, violations } from '../support/chromium.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const OPTIONS = '**/passkey/options';
const DEVICE = {
  protocol: 'ctap2',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
} as const;

describe.skipIf(!chromiumPath)('a passkey in Chromium', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  let page: Page;
  let cdp: CDPSession;
  let authenticatorId: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    gatehouse = await startGatehouse();
    const redirect_uris = [`${gatehouse.issuer}/assets/favicon.svg`];
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true, redirect_uris }));
    browser = await launch();
    page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    authenticatorId = (await cdp.send('WebAuthn.addVirtualAuthenticator', { options: DEVICE })).authenticatorId;
  });
  afterAll(async () => {
    await browser?.close();
    await gatehouse?.stop();
  });

  const arrives = () => page.waitForURL(/favicon\.svg\?code=/);
  // Not until it is loaded: where a passkey answers by itself the next page is under way before that.
  const open = async (parameters?: Record<string, string>) =>
    page.goto((await rp.request(parameters)).url.href, { waitUntil: 'commit' });
  /** The page's script tells us what the device can do some time after the page is there. */
  const deviceIsKnown = () =>
    expect
      .poll(async () => (await page.context().cookies()).map(({ name }) => name))
      .toContain('gatehouse_passkey_offer');
  /** Autofill answers by itself; without presence it waits as it does for a person. */
  const present = (enabled: boolean) =>
    cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
  const newContext = async () => {
    await page.context().clearCookies();
    await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
  };

  it('is offered after a password, made, and signs in by itself in the e-mail field', async () => {
    const { email } = await gatehouse.person();
    await open();
    await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
    await deviceIsKnown();
    await screenshot(page, 'sign-in-passkey');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in faster next time' }).waitFor();
    await screenshot(page, 'passkey-offer');
    await tabTo(page.getByRole('button', { name: 'Create a passkey' }));
    await page.keyboard.press('Enter');
    await arrives();

    await open({ prompt: 'login' });
    await arrives();
  });

  it('signs in by the button, and a refusal of the person leaves the password', async () => {
    const { email } = await gatehouse.person();
    await newContext();
    await open();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByText('No passkey was used.').waitFor();
    await deviceIsKnown();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'passkey-cancelled');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await arrives();

    await present(false);
    const autofill = page.waitForResponse(OPTIONS);
    await open({ prompt: 'login' });
    await autofill;
    // The person is there once the button has asked: before that, autofill would answer.
    await page.route(OPTIONS, async (route) => {
      await present(true);
      await route.continue();
    });
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await arrives();
    await page.unroute(OPTIONS);
  });

  it('is all that somebody needs who signs up', async () => {
    await newContext();
    await open();
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Name').fill('Grace Hopper');
    await page.getByLabel('E-mail').fill('grace@example.com');
    await screenshot(page, 'sign-up-passkey');
    await page.getByRole('button', { name: 'Use a passkey instead' }).click();
    await page.getByRole('heading', { name: 'Create your passkey' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'sign-up-passkey-create');
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await arrives();
    expect(await gatehouse.accounts.findByEmail('grace@example.com')).toMatchObject({ password_hash: null });
    await open({ prompt: 'login' });
    await arrives();
  });

  it('is added on the way where a second factor is required, and proves it the next time', async () => {
    const strict = await startGatehouse({ GATEHOUSE_FACTORS_POLICY: 'required' });
    const redirect_uris = [`${strict.issuer}/assets/favicon.svg`];
    const app = await relyingParty(strict, await strict.app({ first_party: true, redirect_uris }));
    const { email } = await strict.person();
    await newContext();
    await present(false);
    const enterPassword = async () => {
      await page.goto((await app.request({ prompt: 'login' })).url.href);
      await page.getByLabel('E-mail').fill(email);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.keyboard.press('Enter');
    };
    await enterPassword();
    await page.getByRole('button', { name: 'Use a passkey instead' }).waitFor();
    await screenshot(page, 'passkey-enrol');
    await present(true);
    await page.getByRole('button', { name: 'Use a passkey instead' }).click();
    await page.getByRole('heading', { name: /recovery codes/i }).waitFor();
    await page.getByRole('link', { name: 'I have put them away' }).click();
    await arrives();

    await present(false);
    await enterPassword();
    await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, 'passkey-second-factor');
    await present(true);
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await arrives();
    await strict.stop();
  });

  it('every page obeyed its own content security policy, and no script failed', () => {
    expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
  });
});
