/** Forms that take names, e-mails and passwords, filled in as no person would. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { PASSWORD } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, heading, linkNamed } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { signUp, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const ODD = {
  empty: '',
  'only spaces': '   ',
  'very long': 'a'.repeat(20_000),
  'a null character': 'a\u0000b@example.com',
  'line breaks': 'a@example.com\r\nBcc: b@evil.example',
  'two addresses': 'a@example.com,b@evil.example',
  'a dot at the end': 'ada@example.com.',
  'invisible letters': 'a\u200bda@example.com',
  'a change of direction': 'ada@\u202eexample.com',
  'half a surrogate': 'a\ud800@example.com',
  HTML: '<b>ada</b>@example.com',
  'a template': '<%= 7*7 %>@example.com',
};

/** Whom the tests themselves have mailed. */
const EXPECTED = ['right@example.com', 'typed@example.com'];

describe('odd input', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  beforeAll(async () => {
    const env = { GATEHOUSE_SIGN_IN_MAILED: 'true', GATEHOUSE_LIMITS_ENABLED: 'false' };
    ({ gatehouse, mail, stop } = await startWithMail(env));
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());

  const FORMS: Record<string, (browser: Browser, email: string) => Promise<Page>> = {
    'signing up': (browser, email) => signUp(rp, browser, { email }),
    'a forgotten password': async (browser, email) =>
      browser.submit(await browser.open(linkNamed(await begin(rp, browser), 'Forgot your password?')), { email }),
    'signing in by mail': async (browser, email) => {
      const start = await begin(rp, browser);
      return browser.submit(await browser.open(linkNamed(start, 'Sign in by mail')), { email });
    },
    'mending an address': async (browser, email) =>
      browser.submit(await signUp(rp, browser, { email: 'right@example.com' }), { email }),
  };

  describe.each(Object.entries(FORMS))('for an e-mail, at %s', (_where, fill) => {
    it.each(Object.entries(ODD))('%s gets a clear answer, no mail and no account', async (_what, email) => {
      const people = await count();
      const page = await fill(new Browser(gatehouse.issuer), email);
      expect(page.status).toBe(400);
      expect(page.text).toContain('full e-mail address');
      expect(page.text).not.toContain('<b>ada');
      expect(await count()).toBe(people);
      expect(mail.mails.flatMap(({ to }) => to).filter((to) => !EXPECTED.includes(to))).toEqual([]);
    });

    it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
      'sent as %s is refused',
      async (type) => {
        const browser = new Browser(gatehouse.issuer);
        const page = await fill(browser, 'typed@example.com');
        const answer = await browser.open(page.url, {
          method: 'POST',
          body: '{"email":"typed@example.com"}',
          headers: { 'content-type': type },
        });
        expect([400, 403, 404, 405]).toContain(answer.status);
      },
    );
  });
  const count = async () => (await gatehouse.accounts.list({ limit: 500, after: undefined })).items.length;

  it('tells addresses apart that only look alike, and keeps plus addresses apart', async () => {
    const spellings = ['ada@example.com', 'ada+notes@example.com', 'a.da@example.com', '\u0430da@example.com'];
    for (const email of spellings) await gatehouse.person({ email });
    const found = await Promise.all(spellings.map((email) => gatehouse.accounts.findByEmail(email)));
    expect(new Set(found.map((one) => one!.id)).size).toBe(spellings.length);
    expect((await gatehouse.accounts.findByEmail(' ADA@EXAMPLE.COM '))!.id).toBe(found[0]!.id);
  });

  it('for a name is refused where it is empty or too long, and is text wherever it is shown', async () => {
    for (const name of ['', ' \u00a0 ', 'n'.repeat(201)]) {
      const page = await signUp(rp, new Browser(gatehouse.issuer), { email: 'name@example.com', name });
      expect(page.status).toBe(400);
      expect(heading(page)).toBe('Create your account');
    }
    const name = '"><script>alert(1)</script>{{brand}}<%= 1 %>';
    const browser = new Browser(gatehouse.issuer);
    const page = await signUp(rp, browser, { email: 'html@example.com', name });
    const { code } = await mail.waitFor('html@example.com');
    const consent = await browser.submit(page, { code });
    expect(consent.text).not.toContain('<script>alert');
    await gatehouse.verification.recovery.request({ email: 'html@example.com', locale: 'en' });
    const reset = await mail.waitFor('html@example.com');
    expect(reset.html).not.toContain('<script>alert');
  });

  it('for a password counts as it is: spaces, emoji, and what looks like code', async () => {
    for (const password of [`  ${PASSWORD}  `, '🔑'.repeat(20), "'; DROP TABLE accounts; --", '<b>tr0ubadour</b>']) {
      const email = `p${Math.random().toString(36).slice(2)}@example.com`;
      const browser = new Browser(gatehouse.issuer);
      await browser.submit(await signUp(rp, browser, { email, password }), { code: (await mail.waitFor(email)).code });
      expect(await gatehouse.accounts.authenticate(email, password)).toBeDefined();
      expect(
        await gatehouse.accounts.authenticate(email, password.trim() === password ? `${password} ` : password.trim()),
      ).toBeUndefined();
    }
  });
});
