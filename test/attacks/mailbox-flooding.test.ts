/** Filling somebody's mailbox with mails that anybody may ask for, and trying codes in one journey after another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, begin, fieldValue, linkNamed } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

/** The defaults of the configuration. */
const MAILS = 5;
const CODES = 20;

describe('whoever floods a mailbox', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  beforeAll(async () => {
    const env = {
      GATEHOUSE_SIGN_IN_MAILED: 'true',
      GATEHOUSE_TRUSTED_PROXIES: 'loopback',
      GATEHOUSE_LIMITS_MAIL_ACCOUNT: String(MAILS),
      GATEHOUSE_LIMITS_MAIL_ADDRESS: '12',
    };
    ({ gatehouse, mail, stop } = await startWithMail(env));
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());

  let next = 0;
  async function visitor(link: string, address = `192.0.2.${(next += 1)}`) {
    const browser = new Browser(gatehouse.issuer);
    browser.headers['x-forwarded-for'] = address;
    const form = await browser.open(linkNamed(await begin(rp, browser), link));
    return { browser, ask: (email: string) => browser.submit(form, { email }) };
  }
  const FORGOT = 'Forgot your password?';
  const MAILED = 'Sign in by mail';
  const problem = (page: Page) => page.html.querySelector('.gh-error')?.text.trim();
  const refused = (pages: Page[]) => pages.filter(({ status }) => status === 429);
  const mailsTo = (email: string) => mail.mails.filter(({ to }) => to.includes(email)).length;

  it('is stopped after five mails an hour, of all kinds together, whoever asks and from wherever', async () => {
    const { email } = await gatehouse.person();
    const crowd = await Promise.all(Array.from({ length: 8 }, (_, index) => visitor(index % 2 ? FORGOT : MAILED)));
    const pages = await atOnce(8, (index) => crowd[index]!.ask(email));
    expect(refused(pages)).toHaveLength(8 - MAILS);
    const late = await (await visitor(FORGOT)).ask(email.toUpperCase());
    expect(late.status).toBe(429);
    expect(problem(late)).toMatch(/^That was asked for too often\. Wait \d+ minutes/);
    expect(fieldValue(late, 'email')).toBe(email.toUpperCase());
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(mailsTo(email)).toBeLessThanOrEqual(MAILS);
  });

  it('hears the same about an address without an account', async () => {
    const { email } = await gatehouse.person();
    const said = await Promise.all(
      [email, 'nobody@example.com'].map(async (who) => {
        const pages: Page[] = [];
        for (let index = 0; index < MAILS + 2; index += 1) pages.push(await (await visitor(FORGOT)).ask(who));
        return pages.map((page) => [page.status, problem(page)]);
      }),
    );
    expect(said[0]).toEqual(said[1]);
  });

  it('has a budget for all mailboxes from one address', async () => {
    const { ask } = await visitor(FORGOT);
    const pages = await atOnce(20, (index) => ask(`mailbox-${index}@example.com`));
    expect(refused(pages)).toHaveLength(8);
  });

  it('does not keep a person from mail who comes by a device that signed in before', async () => {
    const person = await gatehouse.person();
    const browser = new Browser(gatehouse.issuer);
    browser.headers['x-forwarded-for'] = '198.51.100.77';
    await rp.signIn(person, {}, browser);
    const crowd = await Promise.all(Array.from({ length: 7 }, () => visitor(FORGOT)));
    expect(refused(await atOnce(7, (index) => crowd[index]!.ask(person.email)))).toHaveLength(2);
    const form = await browser.open(linkNamed(await begin(rp, browser, { prompt: 'login' }), FORGOT));
    expect((await browser.submit(form, { email: person.email })).status).toBe(200);
  });

  it('and tries codes in one journey after another has twenty in an hour, however many mails', async () => {
    const { limits } = gatehouse;
    const answers = await atOnce(100, (index) =>
      limits
        .guess('code', { account: 'codes@example.com', address: `198.51.100.${index}` }, async () => undefined)
        .then(() => 'looked at')
        .catch((error: { code: string }) => error.code),
    );
    expect(answers.filter((one) => one === 'looked at')).toHaveLength(CODES);
    expect(answers.filter((one) => one === 'limited')).toHaveLength(100 - CODES);
  });
});
