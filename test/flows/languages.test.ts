/** In which language people are spoken to, and how they change it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, enterPassword, heading } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { startWithMail } from '../support/mailed.ts';
import type { WithMail } from '../support/mailed.ts';
import { openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const langOf = (page: Page) => page.html.querySelector('html')!.getAttribute('lang');
const choose = (browser: Browser, page: Page, lang: string, more: Record<string, string> = {}) =>
  browser.submit(page, { lang, ...more }, '/language');

describe('the language of a page', () => {
  let running: WithMail;
  let gatehouse: Running;
  let mail: MailServer;
  let rp: RelyingParty;
  beforeAll(async () => {
    running = await startWithMail();
    ({ gatehouse, mail } = running);
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => running.stop());

  it('is chosen at its foot, and stays in this browser', async () => {
    const browser = new Browser(gatehouse.issuer);
    const page = await browser.open('/');
    expect(langOf(page)).toBe('en');
    const german = await choose(browser, page, 'de');
    expect([langOf(german), german.url.pathname]).toEqual(['de', '/']);
    expect(langOf(await begin(rp, browser))).toBe('de');
    expect(langOf(await begin(rp, browser, { ui_locales: 'fr' }))).toBe('fr');
  });

  it('changes in the middle of a sign-in that the app wished in another one, on the same page', async () => {
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser, { ui_locales: 'fr' });
    const signUp = await browser.open(`${page.url.pathname}/sign-up`);
    const japanese = await choose(browser, signUp, 'ja');
    expect([langOf(japanese), japanese.url.pathname]).toEqual(['ja', signUp.url.pathname]);
    const person = await gatehouse.person();
    const consent = await enterPassword(browser, await browser.open(page.url), person);
    expect(langOf(consent)).toBe('ja');
  });

  it('changes on a page that says what is wrong with a form', async () => {
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    const wrong = await enterPassword(browser, page, { email: 'nobody@example.com', password: 'wrong' });
    expect(wrong.status).toBe(401);
    const arabic = await choose(browser, wrong, 'ar');
    expect([arabic.status, langOf(arabic)]).toEqual([200, 'ar']);
    expect(arabic.html.querySelector('input[name=password]')).not.toBeNull();
  });

  it('is kept with the account of who is signed in, for other browsers and for mails', async () => {
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    await choose(browser, await openAccount(browser, person), 'pt');
    expect((await gatehouse.accounts.get(person.sub)).claims.locale).toBe('pt');

    const other = new Browser(gatehouse.issuer);
    expect(langOf(await openAccount(other, person))).toBe('pt');

    await gatehouse.verification.recovery.request({ email: person.email, locale: 'de' });
    expect((await mail.waitFor(person.email, /^Novo login/)).text).toMatch(/UTC/);
    expect((await mail.waitFor(person.email, /^Escolha uma nova senha/)).link).not.toBe('');
  });

  it('is kept too when it was chosen before signing in, unless the account has one', async () => {
    const sub = async (person: { sub: string }) => (await gatehouse.accounts.get(person.sub)).claims.locale;
    const browser = new Browser(gatehouse.issuer);
    await choose(browser, await browser.open('/'), 'es');
    const [first, second] = [await gatehouse.person(), await gatehouse.person()];
    await gatehouse.accounts.setLocale(second.sub, 'ja');
    await openAccount(browser, first);
    expect(await sub(first)).toBe('es');
    const again = new Browser(gatehouse.issuer);
    await choose(again, await again.open('/'), 'es');
    await openAccount(again, second);
    expect(await sub(second)).toBe('ja');
  });

  it('is offered in every language by its own name, but not where the page could not be shown again', async () => {
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    const names = page.html.querySelectorAll('.gh-language button').map(({ text }) => text);
    expect(names).toEqual(['العربية', 'Deutsch', 'English', 'Español', 'Français', '日本語', 'Português']);
    const forgot = await browser.open(`${page.url.pathname}/forgot-password`);
    const sent = await browser.submit(forgot, { email: 'nobody@example.com' });
    expect(heading(sent)).toBe('Check your mail');
    expect(sent.html.querySelector('.gh-language')).toBeNull();
  });

  it('is refused where there is none such, and leads nowhere but to our own pages', async () => {
    const browser = new Browser(gatehouse.issuer);
    const page = await browser.open('/');
    expect((await choose(browser, page, 'xx')).status).toBe(400);
    for (const return_to of ['https://evil.example/', '//evil.example/', '/\\evil.example', '/\t/evil.example']) {
      const _csrf = page.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;
      const body = new URLSearchParams({ _csrf, lang: 'de', return_to });
      const { headers } = await browser.request('/language', { method: 'POST', body });
      expect(headers.get('location')).toBe(`${gatehouse.issuer}/`);
    }
    const body = new URLSearchParams({ lang: 'de', return_to: '/' });
    expect((await browser.request('/language', { method: 'POST', body })).status).toBe(403);
  });
});
