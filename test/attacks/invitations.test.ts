/** An invitation's link makes an account: an attacker wants one of their own of it, another address, more roles, or a second use. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { anAdmin, openConsole } from '../support/console.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, heading } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import { optionsOf, sendAnswer } from '../support/passkeys.ts';
import { OPERATOR } from '../../src/administration/principal.ts';

let gatehouse: Running;
beforeAll(async () => {
  gatehouse = await startGatehouse({ GATEHOUSE_LIMITS_ENABLED: 'false' });
});
afterAll(() => gatehouse.stop());

let count = 0;
async function invited(input: { name?: string; roles?: string[] } = {}) {
  const email = `wanted${(count += 1)}@example.com`;
  const { url, invitation } = await gatehouse.inviting.invite(OPERATOR, { email, by: 'link', ...input });
  return { ...invitation, url: url! };
}
const fresh = () => new Browser(gatehouse.issuer);

describe('the link of an invitation', () => {
  it('makes one account, however many send the form at once', async () => {
    const { email, url, account_id } = await invited();
    const pages = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const browser = fresh();
        return { browser, page: await browser.open(url) };
      }),
    );
    const ends = await atOnce(pages.length, (n) => pages[n]!.browser.submit(pages[n]!.page, { password: PASSWORD }));
    expect(ends.filter((page) => heading(page) === 'Your account is ready')).toHaveLength(1);
    expect((await gatehouse.accounts.get(email)).id).toBe(account_id);
    expect(heading(await fresh().open(url))).toBe('This link is no longer good');
  });

  it('takes no address, role or id from the form', async () => {
    const { email, url, account_id } = await invited({ roles: ['reader'] });
    const browser = fresh();
    const page = await browser.open(url);
    const csrf = page.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;
    const token = new URL(url).searchParams.get('token')!;
    const body = new URLSearchParams({
      _csrf: csrf,
      token,
      name: 'Mallory',
      password: PASSWORD,
      email: 'mallory@evil.example',
      roles: 'admin',
      id: 'usr_chosen',
      email_verified: 'true',
    });
    await browser.open('/mailed/invitation', { method: 'POST', body });
    expect(await gatehouse.accounts.findByEmail('mallory@evil.example')).toBeUndefined();
    expect(await gatehouse.accounts.get(email)).toMatchObject({
      id: account_id,
      roles: ['reader'],
      email_verified: false,
    });
  });

  it('is none of another kind, and none that was read from the store', async () => {
    const { url, token_hash } = await invited();
    const token = new URL(url).searchParams.get('token')!;
    for (const path of ['/mailed/reset-password', '/mailed/sign-in', '/mailed/verify-email'])
      expect((await fresh().open(`${gatehouse.issuer}${path}?token=${token}`)).status).toBe(400);
    expect((await fresh().open(`${gatehouse.issuer}/mailed/invitation?token=${token_hash}`)).status).toBe(400);
    const stored = await gatehouse.storage.invitations.findByToken(token_hash);
    expect(JSON.stringify(stored)).not.toContain(token);
  });

  it('takes no form of another site', async () => {
    const { email, url } = await invited();
    const token = new URL(url).searchParams.get('token')!;
    const body = new URLSearchParams({ token, name: 'Mallory', password: PASSWORD, _csrf: 'guessed' });
    const page = await fresh().open('/mailed/invitation', { method: 'POST', body });
    expect(page.status).toBe(403);
    expect(await gatehouse.accounts.findByEmail(email)).toBeUndefined();
  });

  it('takes no account over that has the address by now', async () => {
    const { email, url } = await invited({ roles: ['admin'] });
    const browser = fresh();
    const page = await browser.open(url);
    const { sub } = await gatehouse.person({ email, password: 'somebody else was faster' });
    expect(heading(await browser.submit(page, { password: PASSWORD }))).toBe('This e-mail is in use');
    expect(await gatehouse.accounts.get(sub)).toMatchObject({ roles: [] });
    expect(await gatehouse.accounts.authenticate(email, PASSWORD)).toBeUndefined();
  });

  it('leaves no passkey behind when the account was made meanwhile', async () => {
    const { url, account_id } = await invited();
    const [mine, theirs] = [fresh(), fresh()];
    const page = await mine.open(url);
    const device = new Authenticator(gatehouse.issuer);
    const answer = device.create(await optionsOf(mine, page));
    await theirs.submit(await theirs.open(url), { password: PASSWORD });
    expect((await sendAnswer(mine, page, answer)).status).toBe(400);
    expect(await gatehouse.passkeys!.list(account_id)).toEqual([]);
  });
});

describe('what the record, the log and lists tell of an invitation', () => {
  it('is neither address nor link', async () => {
    const { email, url } = await invited();
    const token = new URL(url).searchParams.get('token')!;
    const browser = fresh();
    await browser.submit(await browser.open(url), { password: PASSWORD });
    const records = JSON.stringify((await gatehouse.audit.search({ limit: 500 })).items);
    for (const secret of [token, email]) {
      expect(records).not.toContain(secret);
      expect(JSON.stringify(gatehouse.logged)).not.toContain(secret);
    }
  });

  it('is text, whatever name and address say', async () => {
    const email = '"<img/src=x>"@example.com';
    const { admin, browser } = await anAdmin(gatehouse);
    const name = '<script>alert(1)</script>';
    await gatehouse.inviting.invite(OPERATOR, { email: 'plain@example.com', name, by: 'link' });
    await gatehouse.inviting.invite(OPERATOR, { email, by: 'link' }).catch(() => undefined);
    const page = await openConsole(browser, admin, '/people/invitations');
    expect(page.html.querySelectorAll('main script, main img')).toEqual([]);
    expect(page.text).toContain('alert(1)');
    const { url } = await invited({ name });
    const form = await fresh().open(url);
    expect(form.html.querySelectorAll('main script:not([src]), main img[src=x]')).toEqual([]);
    expect(alertText(form)).toBe('');
  });
});
