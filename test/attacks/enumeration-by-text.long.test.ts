/** Who wants to know whether somebody has an account asks every page that takes an e-mail, and compares the answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { PASSWORD } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, enterPassword, linkNamed } from '../support/journey.ts';
import { forgotPassword, signUp, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('whoever compares answers', () => {
  let gatehouse: Running;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let emails: Record<string, string>;
  beforeAll(async () => {
    // Asked far more often here than anybody may: what the limits answer is tested elsewhere.
    const env = { GATEHOUSE_SIGN_IN_MAILED: 'true', GATEHOUSE_LIMITS_ENABLED: 'false' };
    ({ gatehouse, stop } = await startWithMail(env));
    rp = await relyingParty(gatehouse, await gatehouse.app());
    const [known, suspended, unproved] = [
      await gatehouse.person(),
      await gatehouse.person(),
      await gatehouse.person({ email_verified: false }),
    ];
    await gatehouse.access.suspend(suspended.sub);
    const bare = await gatehouse.accounts.create({ email: 'bare@example.com', name: 'Bare' });
    emails = {
      known: known.email,
      unknown: 'nobody@example.com',
      suspended: suspended.email,
      'without a password': bare.email,
      'whose e-mail was never proved': unproved.email,
    };
  });
  afterAll(() => stop());

  async function mailedSignIn(browser: Browser, email: string): Promise<Page> {
    const start = await begin(rp, browser);
    return browser.submit(await browser.open(linkNamed(start, 'Sign in by mail')), { email });
  }
  /** A code is made after the answer; until then whatever is typed is answered as if it were over. */
  const typeWrongCode = (browser: Browser, page: Page): Promise<Page> =>
    eventually(async () => {
      const answer = await browser.submit(page, { code: '000000' });
      expect(answer.text).not.toContain('no good any more');
      return answer;
    });
  const ASKED: Record<string, (browser: Browser, email: string) => Promise<Page>> = {
    'to sign up': (browser, email) => signUp(rp, browser, { email }),
    'to sign up, and types a wrong code': async (browser, email) =>
      typeWrongCode(browser, await signUp(rp, browser, { email })),
    'to sign up, and asks for another mail': async (browser, email) =>
      browser.submit(await signUp(rp, browser, { email }), {}, '/again'),
    'to sign up, and for another address after': async (browser, email) =>
      browser.submit(await signUp(rp, browser, { email: 'somebody.else@example.com' }), { email }),
    'to sign up, and goes on without proof': async (browser, email) =>
      browser.open(linkNamed(await signUp(rp, browser, { email }), 'I opened the link')),
    'to sign up with a bad password': (browser, email) => signUp(rp, browser, { email, password: 'short' }),
    'to sign in with a wrong password': async (browser, email) =>
      enterPassword(browser, await begin(rp, browser), { email, password: 'tr0ubadour and stapler' }),
    'for a new password': (browser, email) => forgotPassword(rp, browser, email),
    'to sign in by mail': mailedSignIn,
    'to sign in by mail, and types a wrong code': async (browser, email) =>
      typeWrongCode(browser, await mailedSignIn(browser, email)),
    'to sign in by mail, and types six wrong codes': async (browser, email) => {
      let page = await typeWrongCode(browser, await mailedSignIn(browser, email));
      for (let tries = 1; tries < 6; tries += 1) page = await browser.submit(page, { code: '000000' });
      return page;
    },
  };

  /** Everything that could tell, with what is different in every answer taken out. */
  async function answer(ask: (browser: Browser, email: string) => Promise<Page>, email: string) {
    const browser = new Browser(gatehouse.issuer);
    const page = await ask(browser, email);
    const plain = (text: string) =>
      text
        .replaceAll(email, 'EMAIL')
        .replace(/\/interaction\/[\w-]+/g, '/interaction/UID')
        .replace(/name="_csrf" value="[^"]*"/g, '');
    const cookies = (await browser.jar.getCookies(gatehouse.issuer + page.url.pathname)).map(({ key }) => key).sort();
    const headers = [...page.headers]
      .filter(([name]) => !['date', 'content-length', 'set-cookie'].includes(name))
      .map(([name, value]) => [name, plain(value)]);
    const length = Number(page.headers.get('content-length') ?? page.text.length) - page.text.length;
    return { status: page.status, url: plain(page.url.pathname), headers, cookies, text: plain(page.text), length };
  }

  describe.each(Object.entries(ASKED))('asks %s', (_what, ask) => {
    it.each(['unknown', 'suspended', 'without a password', 'whose e-mail was never proved'])(
      'and hears the same about a person that is %s as about one that is known',
      async (who) => {
        // The code that is guessed may be the right one: one time in a million.
        expect(await answer(ask, emails[who]!)).toEqual(await answer(ask, emails['known']!));
      },
    );
  });

  it('hears the same from a link of whatever account, once it is dead', async () => {
    const pages = await Promise.all(
      ['known', 'suspended'].map(async (who) => {
        const account = await gatehouse.accounts.get(emails[who]!);
        const link = await gatehouse.verification.recovery.linkFor(account);
        if (account.state === 'active') await gatehouse.access.setPassword(account.id, `${PASSWORD} again`);
        const { status, html } = await new Browser(gatehouse.issuer).open(link);
        // At the foot stands the link itself, to come back to in another language.
        return [status, html.querySelector('main')!.outerHTML];
      }),
    );
    expect(pages[0]).toEqual(pages[1]);
  });
});
