/** Six digits are a million: few tries must be all there are, in a row or at once, in one journey or in many. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, begin, heading, linkNamed } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { signUp, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const TRIES = 5;

describe('whoever guesses mailed codes', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail({ GATEHOUSE_SIGN_IN_MAILED: 'true' }));
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  afterEach(backToNow);

  async function ask(email: string): Promise<{ browser: Browser; page: Page; code: string }> {
    const browser = new Browser(gatehouse.issuer);
    const start = await begin(rp, browser);
    const form = await browser.open(linkNamed(start, 'Sign in by mail'));
    const page = await browser.submit(form, { email });
    return { browser, page, code: (await mail.waitFor(email)).code };
  }
  const wrong = (code: string, index = 0) => String((Number(code) + 1 + index) % 1_000_000).padStart(6, '0');

  it('has five tries: then the right one is no good either', async () => {
    const { email } = await gatehouse.person();
    const { browser, page, code } = await ask(email);
    for (let tries = 0; tries < TRIES; tries += 1)
      expect(alertText(await browser.submit(page, { code: wrong(code, tries) }))).toContain('not right');
    const answer = await browser.submit(page, { code });
    expect([answer.status, alertText(answer)]).toEqual([400, expect.stringContaining('no good any more')]);
  });

  it('has no more of them by guessing a hundred times at once', async () => {
    const { email } = await gatehouse.person();
    const { browser, page, code } = await ask(email);
    const answers = await atOnce(100, (index) => browser.submit(page, { code: wrong(code, index) }));
    expect(answers.filter((answer) => alertText(answer).includes('not right')).length).toBeLessThanOrEqual(TRIES);
    // The right one is no good either: spent, and most likely too many for that address by now.
    expect((await browser.submit(page, { code })).status).toBeGreaterThanOrEqual(400);
  });

  it('that knows the code finds it good once, of a hundred at once', async () => {
    const email = `once@example.com`;
    const browser = new Browser(gatehouse.issuer);
    const page = await signUp(rp, browser, { email });
    const { code } = await mail.waitFor(email);
    const answers = await atOnce(100, () => browser.submit(page, { code }));
    expect(answers.some((answer) => heading(answer) === 'Acme Notes wants access')).toBe(true);
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    const { items } = await gatehouse.accounts.list({ limit: 500, after: undefined });
    expect(items.filter((one) => one.email === email)).toHaveLength(1);
  });

  it('cannot use a code in another journey, or for another purpose', async () => {
    const { email } = await gatehouse.person();
    const [one, other] = [await ask(email), await ask(email)];
    if (one.code !== other.code) {
      expect(alertText(await one.browser.submit(one.page, { code: other.code }))).toContain('not right');
    }
    const own = new Browser(gatehouse.issuer);
    const sign_up = await signUp(rp, own, { email: `other.${email}` });
    const mailed = await mail.waitFor(`other.${email}`);
    if (mailed.code !== one.code)
      expect(alertText(await own.submit(sign_up, { code: one.code }))).toContain('not right');
  });

  it('cannot have a code for an own address prove another one', async () => {
    const own = `attacker@example.com`;
    const victim = `victim@example.com`;
    const browser = new Browser(gatehouse.issuer);
    const page = await signUp(rp, browser, { email: own });
    const { code } = await mail.waitFor(own);
    const [, answer] = await Promise.all([browser.submit(page, { email: victim }), browser.submit(page, { code })]);
    await browser.submit(page, { code });
    expect(answer.status).toBeLessThan(500);
    expect(await gatehouse.accounts.findByEmail(victim)).toBeUndefined();
  });

  it('gets new codes a few times only', async () => {
    const { email } = await gatehouse.person();
    const { browser, page } = await ask(email);
    const answers = await atOnce(20, () => browser.submit(page, {}, '/again'));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(16);
    expect(mail.mails.filter(({ to }) => to.includes(email)).length).toBeLessThanOrEqual(5);
  });

  it.each(['', ' ', 'abcdef', '-1', '1e5', '٣٣٣٣٣٣', '123456\u0000', '1'.repeat(5000), '<b>123456</b>', "' OR 1=1"])(
    'gets a clear answer to %j',
    async (code) => {
      const { email } = await gatehouse.person();
      const { browser, page } = await ask(email);
      const answer = await browser.submit(page, { code });
      expect(answer.status).toBe(400);
      expect(alertText(answer)).toMatch(/not right|six digits/);
      expect(answer.text).not.toContain('<b>123456');
    },
  );
});
