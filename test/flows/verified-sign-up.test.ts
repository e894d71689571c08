import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, heading, linkNamed, passTime } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { pressButton, signUp, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a person who signs up where mail is sent', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let browser: Browser;
  let people = 0;
  let email: string;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail());
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  afterEach(backToNow);
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
    people += 1;
    email = `grace${people}@example.com`;
  });
  const account = () => gatehouse.accounts.findByEmail(email);

  it('has no account before the code from the mail is typed in, and then a verified one', async () => {
    const page = await signUp(rp, browser, { email });
    expect(heading(page)).toBe('Check your mail');
    expect(page.text).toContain(email);
    const { code } = await mail.waitFor(email);
    expect(code).toMatch(/^\d{6}$/);
    expect(await account()).toBeUndefined();
    const done = await browser.submit(page, { code: `${code.slice(0, 3)} ${code.slice(3)}` });
    expect(heading(done)).toBe('Acme Notes wants access');
    expect(await account()).toMatchObject({ email_verified: true, name: 'Grace Hopper' });
  });

  it('goes on at once where the link is opened in the same browser', async () => {
    await signUp(rp, browser, { email });
    const { link } = await mail.waitFor(email);
    expect(link.startsWith(`${gatehouse.issuer}/mailed/confirm-sign-up?token=`)).toBe(true);
    expect(heading(await pressButton(browser, link))).toBe('Acme Notes wants access');
    expect(await account()).toMatchObject({ email_verified: true });
  });

  it('is sent back with the code where the link is opened elsewhere, and the link stays good', async () => {
    const page = await signUp(rp, browser, { email });
    const { link, code } = await mail.waitFor(email);
    const phone = await new Browser(gatehouse.issuer).open(link);
    expect(heading(phone)).toBe('Open this in the same browser');
    expect(phone.text).toContain('type the code from the mail');
    expect((await browser.open(linkNamed(page, 'I opened the link'))).text).toContain('has not been confirmed yet');
    expect(await account()).toBeUndefined();
    expect(heading(await browser.submit(page, { code }))).toBe('Acme Notes wants access');
  });

  it('may have the mail looked at by a scanner that opens every link, twice', async () => {
    await signUp(rp, browser, { email });
    const { link } = await mail.waitFor(email);
    for (const method of ['GET', 'GET', 'HEAD']) await fetch(link, { method });
    expect(await account()).toBeUndefined();
    expect(heading(await pressButton(browser, link))).toBe('Acme Notes wants access');
  });

  it('is told that a link was used already', async () => {
    await signUp(rp, browser, { email });
    const { link } = await mail.waitFor(email);
    const shown = await browser.open(link);
    await browser.submit(shown);
    for (const again of [await browser.submit(shown), await browser.open(link)]) {
      expect(again.status).toBe(400);
      expect(heading(again)).toBe('This link is no longer good');
    }
  });

  it('gets one account of link and code used at the same moment', async () => {
    const page = await signUp(rp, browser, { email });
    const { link, code } = await mail.waitFor(email);
    const shown = await browser.open(link);
    const answers = await Promise.all([browser.submit(page, { code }), browser.submit(shown)]);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    const { items } = await gatehouse.accounts.list({ limit: 500, after: undefined });
    expect(items.filter((one) => one.email === email)).toHaveLength(1);
  });

  it('can mend a wrong address, which ends the mail to the wrong one', async () => {
    const page = await signUp(rp, browser, { email: `wrong.${email}` });
    const wrong = await mail.waitFor(`wrong.${email}`);
    const mended = await browser.submit(page, { email });
    expect(mended.text).toContain(email);
    const right = await mail.waitFor(email);
    expect(alertText(await browser.submit(mended, { code: wrong.code }))).toContain('not right');
    expect(heading(await browser.open(wrong.link))).toBe('This link is no longer good');
    expect(heading(await browser.submit(mended, { code: right.code }))).toBe('Acme Notes wants access');
    expect(await gatehouse.accounts.findByEmail(`wrong.${email}`)).toBeUndefined();
  });

  it('is told when the mended address is none, and keeps the page', async () => {
    const answer = await browser.submit(await signUp(rp, browser, { email }), { email: 'nonsense' });
    expect(answer.status).toBe(400);
    expect(alertText(answer)).toContain('full e-mail address');
    expect(heading(answer)).toBe('Check your mail');
  });

  it('can ask for another mail, whose code takes the place of the first, but not for ever', async () => {
    let page = await signUp(rp, browser, { email });
    const first = await mail.waitFor(email);
    page = await browser.submit(page, {}, '/again');
    const second = await mail.waitFor(email);
    expect(alertText(await browser.submit(page, { code: first.code }))).toContain('not right');
    expect(heading(await browser.open(first.link))).toBe('This link is no longer good');
    for (let mails = 3; mails <= 5; mails += 1) page = await browser.submit(page, {}, '/again');
    expect(page.text).not.toContain('Send another mail');
    expect(heading(await browser.open(second.link))).toBe('This link is no longer good');
  });

  it('has ten minutes for the code and an hour for the link', async () => {
    const page = await signUp(rp, browser, { email });
    const { code, link } = await mail.waitFor(email);
    passTime(601);
    const late = await browser.submit(page, { code });
    expect(late.status).toBe(400);
    expect(alertText(late)).toContain('no good any more');
    expect(heading(await browser.open(link))).toBe('Confirm your e-mail');
    passTime(3000);
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
    expect(await account()).toBeUndefined();
  });

  it('may load the page again, and come back to it from the sign-in page', async () => {
    const page = await signUp(rp, browser, { email });
    expect(heading(await browser.open(page.url))).toBe('Check your mail');
    expect(heading(await browser.open(linkNamed(page, 'Back to sign-in')))).toBe('Sign in to Acme Notes');
    expect(heading(await browser.open(page.url))).toBe('Check your mail');
  });

  it('gets the account that was proved first, where two sign up with one address', async () => {
    const other = new Browser(gatehouse.issuer);
    const pages = [await signUp(rp, browser, { email, name: 'One' }), await signUp(rp, other, { email, name: 'Two' })];
    const mails = [await mail.waitFor(email), await mail.waitFor(email)];
    const [first, second] = await Promise.all([
      browser.submit(pages[0]!, { code: mails[0]!.code }),
      other.submit(pages[1]!, { code: mails[1]!.code }),
    ]);
    expect([first.status, second.status].sort()).toEqual([200, 400]);
    const late = first.status === 400 ? first : second;
    expect(alertText(late)).toContain('already an account with this e-mail');
  });

  it('may have a name of HTML, which no page and no mail takes for such', async () => {
    const name = '<img src=x onerror=alert(1)><b>Ada</b>';
    const page = await signUp(rp, browser, { email, name });
    const { code, html } = await mail.waitFor(email);
    expect(html).not.toContain('<img src=x');
    const consent = await browser.submit(page, { code });
    expect(consent.text).not.toContain('<b>Ada');
    expect((await account())!.name).toBe(name);
  });

  it('has one spelling of the name, however it was composed', async () => {
    await browser.submit(await signUp(rp, browser, { email, name: 'Jose\u0301' }), {
      code: (await mail.waitFor(email)).code,
    });
    expect((await account())!.name).toBe('Jos\u00e9');
  });

  it('of many codes at once uses none twice', async () => {
    const page = await signUp(rp, browser, { email });
    const { code } = await mail.waitFor(email);
    const answers = await atOnce(10, () => browser.submit(page, { code }));
    expect(answers.every(({ status }) => status === 200 || status === 400)).toBe(true);
    expect(
      (await gatehouse.accounts.list({ limit: 500, after: undefined })).items.filter((one) => one.email === email),
    ).toHaveLength(1);
  });
});
