import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, backToNow, begin, heading, linkNamed, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { pressButton, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a person who signs in by mail', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let browser: Browser;
  let person: Person;
  let checks: Awaited<ReturnType<RelyingParty['request']>>['checks'];
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail({ GATEHOUSE_SIGN_IN_MAILED: 'true' }));
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  afterEach(backToNow);
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
  });

  async function ask(email = person.email): Promise<Page> {
    const request = await rp.request();
    checks = request.checks;
    const page = await browser.open(request.url);
    return browser.submit(await browser.open(linkNamed(page, 'Sign in by mail')), { email });
  }
  const amr = async (consent: Page) => {
    const done = await browser.submit(consent, { decision: 'allow' });
    return (await rp.redeem(done.url, checks)).claims()!['amr'];
  };

  it('types the code, and the app learns how: otp', async () => {
    const page = await ask();
    const { code } = await mail.waitFor(person.email);
    expect(await amr(await browser.submit(page, { code }))).toEqual(['otp']);
  });

  it('opens the link in the browser that asked for it', async () => {
    await ask();
    const { link } = await mail.waitFor(person.email);
    expect(await amr(await pressButton(browser, link))).toEqual(['otp']);
  });

  it('cannot be made to sign in somebody else: in another browser the link does nothing and stays good', async () => {
    await ask();
    const { link } = await mail.waitFor(person.email);
    const other = new Browser(gatehouse.issuer);
    expect(heading(await other.open(link))).toBe('Open this in the same browser');
    expect(heading(await pressButton(browser, link))).toBe('Acme Notes wants access');
  });

  it('has ten minutes, and one use', async () => {
    const page = await ask();
    const { link, code } = await mail.waitFor(person.email);
    passTime(601);
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
    expect(alertText(await browser.submit(page, { code }))).toContain('no good any more');
    const again = await browser.submit(page, {}, '/again');
    const newest = await mail.waitFor(person.email);
    expect(heading(await browser.submit(again, { code: newest.code }))).toBe('Acme Notes wants access');
  });

  it('finds the code dead once the password was changed', async () => {
    const page = await ask();
    const { code, link } = await mail.waitFor(person.email);
    await gatehouse.access.setPassword(person.sub, 'a whole new pass phrase');
    expect(heading(await browser.submit(page, { code }))).not.toBe('Acme Notes wants access');
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
  });

  it('does not get in by it where the account is suspended, and hears nothing of it', async () => {
    await gatehouse.access.suspend(person.sub);
    const page = await ask();
    expect(heading(page)).toBe('Check your mail');
    expect((await mail.waitFor(person.email)).code).toBe('');
  });

  it('proves the address by it; a password that was set before goes', async () => {
    const planted = await gatehouse.accounts.create({
      email: 'squat@example.com',
      name: 'X',
      password: person.password,
    });
    const page = await ask('squat@example.com');
    const { code } = await mail.waitFor('squat@example.com');
    expect(heading(await browser.submit(page, { code }))).toBe('Acme Notes wants access');
    expect(await gatehouse.accounts.get(planted.id)).toMatchObject({ email_verified: true, password_hash: null });
  });
});

describe('a person with an account whose e-mail was never proved', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let browser: Browser;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail());
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
  });
  const signIn = async (person: Person): Promise<Page> =>
    browser.submit(await begin(rp, browser), { email: person.email, password: person.password });
  const unproved = () => gatehouse.person({ email_verified: false });

  it('proves it after the password, once', async () => {
    const person = await unproved();
    const page = await signIn(person);
    expect(heading(page)).toBe('Check your mail');
    const { code } = await mail.waitFor(person.email);
    expect(heading(await browser.submit(page, { code }))).toBe('Acme Notes wants access');
    expect(await gatehouse.accounts.get(person.sub)).toMatchObject({ email_verified: true });
    browser = new Browser(gatehouse.issuer);
    expect(heading(await signIn(person))).toBe('Acme Notes wants access');
  });

  it('gets nowhere without, whatever page they open', async () => {
    const person = await unproved();
    const page = await signIn(person);
    const start = page.url.pathname.replace('/check-mail', '');
    expect(heading(await browser.open(start))).toBe('Check your mail');
    expect((await browser.open(`${start}/check-mail/continue`)).text).toContain('not been confirmed yet');
    await mail.waitFor(person.email);
    expect(mail.mails.filter(({ to }) => to.includes(person.email))).toHaveLength(1);
  });

  it('goes on where the link was opened on the phone', async () => {
    const person = await unproved();
    const page = await signIn(person);
    const { link } = await mail.waitFor(person.email);
    const phone = new Browser(gatehouse.issuer);
    const asked = await phone.open(link);
    // Whoever reads the mail there may be somebody else than who is signing in here.
    expect((await browser.open(linkNamed(page, 'I opened the link'))).text).toContain('not been confirmed yet');
    expect(heading(await phone.submit(asked, { password: person.password }))).toBe('Your e-mail is confirmed');
    expect(heading(await browser.open(linkNamed(page, 'I opened the link')))).toBe('Acme Notes wants access');
  });

  it('can mend a wrong address by proving the right one', async () => {
    const person = await unproved();
    const page = await signIn(person);
    const right = `right.${person.email}`;
    const mended = await browser.submit(page, { email: right });
    const { code } = await mail.waitFor(right);
    expect(heading(await browser.submit(mended, { code }))).toBe('Acme Notes wants access');
    expect(await gatehouse.accounts.get(person.sub)).toMatchObject({ email: right, email_verified: true });
  });

  it('cannot mend it to that of somebody else, whom the mail tells', async () => {
    const [person, other] = [await unproved(), await gatehouse.person()];
    const mended = await browser.submit(await signIn(person), { email: other.email });
    expect(heading(mended)).toBe('Check your mail');
    const told = await mail.waitFor(other.email);
    expect(told.subject).toBe('You already have an account');
    expect(told.code).toBe('');
  });
});

describe('where an e-mail may be proved later', () => {
  it('a link in a mail verifies the account that was made at once, some hours later', async () => {
    const { gatehouse, mail, stop } = await startWithMail({ GATEHOUSE_SIGN_UP_VERIFY_EMAIL: 'later' });
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = new Browser(gatehouse.issuer);
    const page = await browser.open(linkNamed(await begin(rp, browser), 'Create an account'));
    const consent = await browser.submit(page, { name: 'Ada', email: 'ada@example.com', password: person.password });
    expect(heading(consent)).toBe('Acme Notes wants access');
    expect(await gatehouse.accounts.get('ada@example.com')).toMatchObject({ email_verified: false });
    const { link } = await mail.waitFor('ada@example.com');
    passTime(20 * 3600);
    expect(heading(await pressButton(browser, link))).toBe('Your e-mail is confirmed');
    expect(await gatehouse.accounts.get('ada@example.com')).toMatchObject({ email_verified: true });
    backToNow();
    await stop();
  });
  const person = { password: 'tr0ubadour and staple' };
});
