import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as } from '../support/endpoints.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, begin, enterPassword, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { forgotPassword, pressButton, signUp, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const DEAD = 'This link is no longer good';

describe('a person whose e-mail changes', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let browser: Browser;
  let person: Person;
  let next: string;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail());
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  afterEach(backToNow);
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
    next = `next.${person.email}`;
  });

  const account = () => gatehouse.accounts.get(person.sub);
  const request = async (to: string): Promise<string> => {
    await gatehouse.verification.emailChanges.request(await account(), to, 'en');
    return (await mail.waitFor(to, /Confirm your new/)).link;
  };
  const change = async (to: string, from: string): Promise<string> => {
    expect(heading(await pressButton(browser, await request(to)))).toBe('Your e-mail is changed');
    return (await mail.waitFor(from, /was changed/)).link;
  };
  const signIn = async (email: string) => {
    const own = new Browser(gatehouse.issuer);
    return (await enterPassword(own, await begin(rp, own), { ...person, email })).status;
  };

  it('keeps the old one until the new one is confirmed by the button in its mail', async () => {
    const link = await request(next);
    await fetch(link);
    expect(await account()).toMatchObject({ email: person.email });
    const page = await browser.open(link);
    expect(page.text).toContain(person.email);
    expect(heading(await browser.submit(page))).toBe('Your e-mail is changed');
    expect(await account()).toMatchObject({ email: next, email_verified: true });
    expect([await signIn(next), await signIn(person.email)]).toEqual([200, 401]);
    expect(heading(await browser.open(link))).toBe(DEAD);
  });

  it('can undo it for 72 hours by the notice at the old address, and must set a new password then', async () => {
    const tokens = await rp.signIn(person, { scope: 'openid offline_access', prompt: 'consent' }, browser);
    const undo = await change(next, person.email);
    passTime(72 * 3600 - 60);
    await fetch(undo);
    expect(heading(await pressButton(new Browser(gatehouse.issuer), undo))).toBe('You have your e-mail back');
    expect(await account()).toMatchObject({ email: person.email, email_verified: true, password_hash: null });
    expect((await as(gatehouse, rp.app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    expect(await signIn(person.email)).toBe(401);
    const { link } = await mail.waitFor(person.email, /new password/);
    const own = new Browser(gatehouse.issuer);
    await own.submit(await own.open(link), { password: 'a whole new pass phrase' });
    person = { ...person, password: 'a whole new pass phrase' };
    expect(await signIn(person.email)).toBe(200);
  });

  it('cannot undo it after 72 hours, or twice', async () => {
    const late = await change(next, person.email);
    passTime(72 * 3600 + 1);
    expect(heading(await browser.open(late))).toBe(DEAD);
    const undo = await change(`third.${next}`, next);
    expect(heading(await pressButton(browser, undo))).toBe('You have your e-mail back');
    expect(heading(await browser.open(undo))).toBe(DEAD);
  });

  it('gets it back even if it was changed once more, and whoever changed it cannot undo the undoing', async () => {
    const undo = await change(next, person.email);
    const theirs = await change(`theirs.${next}`, next);
    expect(heading(await pressButton(browser, undo))).toBe('You have your e-mail back');
    expect(heading(await browser.open(theirs))).toBe(DEAD);
    expect(await account()).toMatchObject({ email: person.email });
  });

  it('finds earlier links dead: to reset, to change once more', async () => {
    await forgotPassword(rp, browser, person.email);
    const reset = (await mail.waitFor(person.email, /new password/)).link;
    const [first, second] = [await request(next), await request(`other.${next}`)];
    expect(heading(await browser.open(first))).toBe(DEAD);
    await pressButton(browser, second);
    for (const link of [reset, second]) expect(heading(await browser.open(link))).toBe(DEAD);
  });

  it('cannot take an address that somebody has; the asker hears the same, the other hears of it by mail', async () => {
    const other = await gatehouse.person();
    await gatehouse.verification.emailChanges.request(await account(), other.email.toUpperCase(), 'en');
    expect((await mail.waitFor(other.email)).subject).toContain('already have an account');
    expect(await account()).toMatchObject({ email: person.email });
  });

  it('hears when somebody took the address in between', async () => {
    const link = await request(next);
    const page = await browser.open(link);
    await gatehouse.person({ email: next });
    const answer = await browser.submit(page);
    expect([answer.status, heading(answer)]).toEqual([400, 'This e-mail is in use']);
    expect(await account()).toMatchObject({ email: person.email });
  });

  it('changes it once, however often the button is pressed at the same moment', async () => {
    const page = await browser.open(await request(next));
    const answers = await atOnce(8, () => browser.submit(page));
    expect(answers.filter((answer) => heading(answer) === 'Your e-mail is changed')).toHaveLength(1);
    expect(answers.every(({ status }) => status === 200 || status === 400)).toBe(true);
  });

  it('keeps the old address out of other hands while it can be undone', async () => {
    const undo = await change(next, person.email);
    await expect(gatehouse.person({ email: person.email })).rejects.toThrow('is taken');
    const squatter = new Browser(gatehouse.issuer);
    const page = await signUp(rp, squatter, { email: person.email });
    const { code } = await mail.waitFor(person.email, /Confirm/);
    expect((await squatter.submit(page, { code })).status).toBe(400);
    expect(heading(await pressButton(browser, undo))).toBe('You have your e-mail back');
  });

  it('whose old address never was proved gets no link there: it may be a stranger’s', async () => {
    const unproved = await gatehouse.accounts.create({ email: `typo.${next}`, name: 'Ada', password: person.password });
    person = { ...person, sub: unproved.id };
    await pressButton(browser, await request(next));
    expect(await account()).toMatchObject({ email: next });
    expect(mail.mails.filter(({ to }) => to.includes(`typo.${next}`))).toEqual([]);
  });

  it.each(['nonsense', '', 'a@b@c', `${'a'.repeat(300)}@example.com`])('is not changed to %j', async (to) => {
    const changed = gatehouse.verification.emailChanges.request(await account(), to, 'en');
    await expect(changed).rejects.toMatchObject({ code: 'invalid_input', field: 'email' });
  });

  it('is not changed to another spelling of the same', async () => {
    const changed = gatehouse.verification.emailChanges.request(await account(), person.email.toUpperCase(), 'en');
    await expect(changed).rejects.toMatchObject({ code: 'invalid_input' });
  });
});
