/** Links in mails are keys: an attacker wants them to lead elsewhere, or to read them on the way. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, heading, linkNamed } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer, Received } from '../support/mail-server.ts';
import { forgotPassword, pressButton, signUp, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';
import { onTheWire, plainRequest } from '../support/wire.ts';

describe('whoever wants a mailed link', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail({ GATEHOUSE_SIGN_IN_MAILED: 'true' }));
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = new Browser(gatehouse.issuer);
  });

  /** One of each kind. */
  async function allMails(): Promise<Record<string, Received>> {
    const account = await gatehouse.accounts.get(person.sub);
    const { emailChanges } = gatehouse.verification;
    await forgotPassword(rp, browser, person.email);
    const reset = await mail.waitFor(person.email);
    await signUp(rp, browser, { email: `new.${person.email}` });
    const sign_up = await mail.waitFor(`new.${person.email}`);
    const start = await begin(rp, browser);
    await browser.submit(await browser.open(linkNamed(start, 'Sign in by mail')), {
      email: person.email,
    });
    const sign_in = await mail.waitFor(person.email);
    await emailChanges.request(account, `next.${person.email}`, 'en');
    const change = await mail.waitFor(`next.${person.email}`);
    return { reset, sign_up, sign_in, change };
  }

  it.each([
    { host: 'evil.example' },
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' },
    { forwarded: 'host=evil.example;proto=https' },
    { 'x-original-url': 'https://evil.example/', 'x-rewrite-url': 'https://evil.example/' },
    { origin: 'https://evil.example', referer: 'https://evil.example/' },
  ])('by the headers %j changes no link', async (headers) => {
    const page = await browser.open(linkNamed(await begin(rp, browser), 'Forgot your password?'));
    const cookie = await browser.jar.getCookieString(page.url.href);
    const body = new URLSearchParams({
      email: person.email,
      _csrf: page.html.querySelector('[name=_csrf]')!.getAttribute('value')!,
    });
    const request = plainRequest(`POST ${page.url.pathname}`, {
      Host: new URL(gatehouse.issuer).host,
      Cookie: cookie,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': String(body.toString().length),
      ...('host' in headers ? { Host: headers.host } : headers),
    });
    await onTheWire(gatehouse.issuer, request + body.toString());
    const { raw, link } = await mail.waitFor(person.email);
    expect(link.startsWith(`${gatehouse.issuer}/mailed/reset-password?token=`)).toBe(true);
    expect(raw).not.toContain('evil.example');
  });

  it('by an absolute request line changes no link', async () => {
    const page = await browser.open(linkNamed(await begin(rp, browser), 'Forgot your password?'));
    const body = `email=${encodeURIComponent(person.email)}&_csrf=${page.html.querySelector('[name=_csrf]')!.getAttribute('value')}`;
    const head = plainRequest(`POST http://evil.example${page.url.pathname}`, {
      Host: 'evil.example',
      Cookie: await browser.jar.getCookieString(page.url.href),
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': String(body.length),
    });
    await onTheWire(gatehouse.issuer, head + body);
    expect((await mail.waitFor(person.email)).link.startsWith(`${gatehouse.issuer}/`)).toBe(true);
  });

  it('by the Referer gets nothing: no page tells its address, and none loads anything from elsewhere', async () => {
    for (const { link } of Object.values(await allMails())) {
      const page = await browser.open(link);
      expect(page.status).toBe(200);
      expect(page.headers.get('referrer-policy')).toBe('strict-origin');
      expect(page.headers.get('cache-control')).toBe('no-store');
      const addresses = page.html
        .querySelectorAll('[src], [href], [action]')
        .map((one) => one.getAttribute('src') ?? one.getAttribute('href') ?? one.getAttribute('action')!);
      expect(addresses.filter((one) => new URL(one, gatehouse.issuer).origin !== gatehouse.issuer)).toEqual([]);
      const token = new URL(link).searchParams.get('token')!;
      expect(addresses.join(' ')).not.toContain(token);
      expect(page.html.querySelector(`input[type=hidden][name=token]`)?.getAttribute('value')).toBe(token);
    }
  });

  it('from the log, the store or a page after it gets nothing', async () => {
    const mails = await allMails();
    const { link } = mails['reset']!;
    const done: Page = await pressButton(browser, link, { password: 'a whole new pass phrase' });
    const token = new URL(link).searchParams.get('token')!;
    await browser.open('/mailed/reset-password', { method: 'POST', body: new URLSearchParams({ token }) });
    expect(done.text).not.toContain(token);
    const log = JSON.stringify(gatehouse.logged);
    for (const one of Object.values(mails)) {
      expect(log).not.toContain(new URL(one.link).searchParams.get('token')!);
      // As a number of its own: the log is full of times.
      if (one.code) expect(log).not.toMatch(new RegExp(`\\b${one.code}\\b`));
    }
    expect(log).not.toContain(person.email);
  });

  it('finds that a link is 256 bits, and no two are alike', async () => {
    const account = await gatehouse.accounts.get(person.sub);
    const links = await Promise.all(Array.from({ length: 20 }, () => gatehouse.verification.recovery.linkFor(account)));
    const tokens = links.map((link) => new URL(link).searchParams.get('token')!);
    expect(new Set(tokens).size).toBe(20);
    expect(tokens.every((token) => Buffer.from(token, 'base64url').length === 32)).toBe(true);
  });

  it('gets nowhere with another person’s link: it sets that person’s password, and signs in nobody else', async () => {
    const other = await gatehouse.person();
    const link = await gatehouse.verification.recovery.linkFor(await gatehouse.accounts.get(other.sub));
    const start = await begin(rp, browser);
    const page = await pressButton(browser, link, { password: 'a whole new pass phrase' });
    expect(heading(page)).toBe('Your password is set');
    expect(heading(await browser.open(start.url))).toBe('Sign in to Acme Notes');
  });

  it('cannot have a page in a frame, or cached', async () => {
    for (const { link } of Object.values(await allMails())) {
      const { headers } = await browser.open(link);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });
});
