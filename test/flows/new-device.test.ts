import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { begin, heading } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

describe('a person who signs in from a device that is new', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail());
    rp = await relyingParty(gatehouse, await gatehouse.app());
  });
  afterAll(() => stop());
  const notices = (email: string) =>
    mail.mails.filter(({ to, subject }) => to.includes(email) && /new sign-in/.test(subject));

  it('hears of it by a mail with browser, app and a way to act; of the first device and of a known one they do not', async () => {
    const person = await gatehouse.person();
    const own = new Browser(gatehouse.issuer);
    await rp.signIn(person, {}, own);
    await rp.signIn(person, { prompt: 'login' }, own);
    const stranger = new Browser(gatehouse.issuer);
    stranger.headers['user-agent'] = FIREFOX;
    await rp.signIn(person, {}, stranger);
    const notice = await mail.waitFor(person.email, /new sign-in/);
    expect(notice.text).toContain('Firefox, Windows');
    expect(notice.text).toContain('Acme Notes');
    expect(heading(await own.open(notice.link))).toBe('Set a new password');
    await rp.signIn(person, { prompt: 'login' }, stranger);
    await gatehouse.verification.recovery.request({ email: person.email, locale: 'en' });
    await mail.waitFor(person.email, /new password/);
    expect(notices(person.email)).toHaveLength(1);
  });

  it('does not hear of one that was sent away with a wrong password', async () => {
    const person = await gatehouse.person();
    await rp.signIn(person);
    const stranger = new Browser(gatehouse.issuer);
    await stranger.submit(await begin(rp, stranger), { email: person.email, password: 'a wrong pass phrase' });
    await gatehouse.verification.recovery.request({ email: person.email, locale: 'en' });
    await mail.waitFor(person.email, /new password/);
    expect(notices(person.email)).toEqual([]);
  });
});
