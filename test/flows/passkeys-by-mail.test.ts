import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { begin, enterPassword, heading, linkNamed } from '../support/journey.ts';
import { forgotPassword, pressButton, startWithMail } from '../support/mailed.ts';
import type { WithMail } from '../support/mailed.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import { createPasskey, optionsOf, signUpWithPasskey, usePasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const NEW = 'a whole new pass phrase';
const arrived = ({ url }: Page) => url.origin === 'https://app.example';
const grace = () => ({ name: 'Grace Hopper', email: `${newId('g').toLowerCase()}@example.com` });

async function world(env?: Record<string, string>) {
  const served = await startWithMail(env);
  const rp = await relyingParty(served.gatehouse, await served.gatehouse.app({ first_party: true }));
  return { ...served, rp };
}

/** Whether a passkey, and a password, open the account. */
async function opens({ gatehouse, rp }: WithMail & { rp: RelyingParty }, device: Authenticator, email: string) {
  const one = new Browser(gatehouse.issuer);
  const other = new Browser(gatehouse.issuer);
  return {
    passkey: arrived(await usePasskey(one, await begin(rp, one), device)),
    password: arrived(await enterPassword(other, await begin(rp, other), { email, password: NEW })),
  };
}

async function resetPassword({ gatehouse, mail, rp }: WithMail & { rp: RelyingParty }, email: string) {
  const browser = new Browser(gatehouse.issuer);
  await forgotPassword(rp, browser, email);
  const { link } = await mail.waitFor(email, /new password/);
  return browser.submit(await browser.open(link), { password: NEW });
}

describe('who signs up with a passkey where the e-mail is proved first', () => {
  let served: Awaited<ReturnType<typeof world>>;
  beforeAll(async () => {
    served = await world();
  });
  afterAll(() => served.stop());

  async function proved(values: { name: string; email: string }) {
    const browser = new Browser(served.gatehouse.issuer);
    const asked = await signUpWithPasskey(served.rp, browser, values);
    expect(heading(asked)).toBe('Check your mail');
    const { code } = await served.mail.waitFor(values.email);
    return { browser, page: await browser.submit(asked, { code }) };
  }

  it('makes it after the proof, and has no password', async () => {
    const values = grace();
    const { browser, page } = await proved(values);
    expect(heading(page)).toBe('Create your passkey');
    const device = new Authenticator(served.gatehouse.issuer);
    expect(arrived(await createPasskey(browser, page, device))).toBe(true);
    const account = await served.gatehouse.accounts.findByEmail(values.email);
    expect(account).toMatchObject({ email_verified: true, password_hash: null, name: 'Grace Hopper' });
    expect(await opens(served, device, values.email)).toEqual({ passkey: true, password: false });
  });

  it('may open the link in place of typing the code', async () => {
    const values = grace();
    const browser = new Browser(served.gatehouse.issuer);
    await signUpWithPasskey(served.rp, browser, values);
    const page = await pressButton(browser, (await served.mail.waitFor(values.email)).link);
    expect(heading(page)).toBe('Create your passkey');
  });

  it('makes none before the proof', async () => {
    const browser = new Browser(served.gatehouse.issuer);
    const asked = await signUpWithPasskey(served.rp, browser, grace());
    const base = asked.url.pathname.replace(/\/check-mail$/, '');
    const page = await browser.open(`${base}/add-passkey`);
    expect(heading(page)).toBe('Sign in to Acme Notes');
  });

  it('sees the same page whether the address is free or taken', async () => {
    const { email } = await served.gatehouse.person();
    const pages = await Promise.all(
      [email, grace().email].map(async (address) => {
        const browser = new Browser(served.gatehouse.issuer);
        const page = await signUpWithPasskey(served.rp, browser, { name: 'Grace', email: address });
        return [page.status, heading(page), page.html.querySelectorAll('form').length];
      }),
    );
    expect(pages[0]).toEqual(pages[1]);
    const mailed = await served.mail.waitFor(email);
    expect(mailed.link).toContain('/mailed/reset-password');
  });

  it('may put it off, and comes back by a mailed link', async () => {
    const values = grace();
    const { browser, page } = await proved(values);
    expect(arrived(await browser.submit(page, {}, '/skip'))).toBe(true);
    expect(arrived(await resetPassword(served, values.email))).toBe(true);
    const own = new Browser(served.gatehouse.issuer);
    const again = await enterPassword(own, await begin(served.rp, own), { email: values.email, password: NEW });
    expect(arrived(again)).toBe(true);
  });

  it('and loses it, sets a password by mail; the passkey stays', async () => {
    const values = grace();
    const { browser, page } = await proved(values);
    const device = new Authenticator(served.gatehouse.issuer);
    await createPasskey(browser, page, device);
    await resetPassword(served, values.email);
    expect(await opens(served, device, values.email)).toEqual({ passkey: true, password: true });
  });
});

describe('who signs up with a passkey where the e-mail is proved later', () => {
  let served: Awaited<ReturnType<typeof world>>;
  beforeAll(async () => {
    served = await world({ GATEHOUSE_SIGN_UP_VERIFY_EMAIL: 'later' });
  });
  afterAll(() => served.stop());

  it('is mailed a link to prove it', async () => {
    const values = grace();
    const browser = new Browser(served.gatehouse.issuer);
    const page = await signUpWithPasskey(served.rp, browser, values);
    await createPasskey(browser, page, new Authenticator(served.gatehouse.issuer));
    await pressButton(browser, (await served.mail.waitFor(values.email)).link);
    expect(await served.gatehouse.accounts.findByEmail(values.email)).toMatchObject({ email_verified: true });
  });

  it('under an address of somebody else, loses the passkey when its owner claims the account', async () => {
    const values = grace();
    const device = new Authenticator(served.gatehouse.issuer);
    const attacker = new Browser(served.gatehouse.issuer);
    await createPasskey(attacker, await signUpWithPasskey(served.rp, attacker, values), device);
    await resetPassword(served, values.email);
    expect(await opens(served, device, values.email)).toEqual({ passkey: false, password: true });
    const account = await served.gatehouse.accounts.findByEmail(values.email);
    expect(await served.gatehouse.passkeys!.list(account!.id)).toEqual([]);
  });

  it('is told of a taken address before any passkey is made', async () => {
    const { email } = await served.gatehouse.person();
    const browser = new Browser(served.gatehouse.issuer);
    const page = await signUpWithPasskey(served.rp, browser, { name: 'Grace', email });
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('There is already an account')]);
    expect(linkNamed(page, 'Sign in')).not.toBe('');
    await expect(optionsOf(browser, page)).rejects.toThrow();
  });
});
