import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  alertText,
  atOnce,
  backToNow,
  begin,
  enterPassword,
  fieldValue,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { forgotPassword, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const NEW = 'a whole new pass phrase';

describe('a person who forgot their password', () => {
  let gatehouse: Running;
  let mail: MailServer;
  let stop: () => Promise<void>;
  let rp: RelyingParty;
  let browser: Browser;
  let person: Person;
  beforeAll(async () => {
    ({ gatehouse, mail, stop } = await startWithMail());
    rp = await relyingParty(gatehouse, await gatehouse.app({ type: 'web' }));
  });
  afterAll(() => stop());
  afterEach(backToNow);
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
  });

  const askForLink = async (who = person, own = browser): Promise<string> => {
    await forgotPassword(rp, own, who.email);
    return (await mail.waitFor(who.email, /new password/)).link;
  };
  const set = async (link: string, password: string, own = browser): Promise<Page> =>
    own.submit(await own.open(link), { password });
  const signInWith = async (password: string) => {
    const own = new Browser(gatehouse.issuer);
    return (await enterPassword(own, await begin(rp, own), { email: person.email, password })).status;
  };

  it('sets a new one by a mailed link, and goes on to the app in the same browser', async () => {
    const page = await set(await askForLink(), NEW);
    expect(heading(page)).toBe('Acme Notes wants access');
    expect(await signInWith(NEW)).toBe(200);
    expect(await signInWith(person.password)).toBe(401);
  });

  it('is not kept waiting by guesses at the old one', async () => {
    const link = await askForLink();
    for (let guesses = 0; guesses < 11; guesses += 1) await signInWith('not the password');
    expect(await signInWith(person.password)).toBe(429);
    await set(link, NEW);
    expect(await signInWith(NEW)).toBe(200);
  });

  it('is told to go back to the app in another browser, and the first one is not signed in by it', async () => {
    const link = await askForLink();
    const page = await set(link, NEW, new Browser(gatehouse.issuer));
    expect(heading(page)).toBe('Your password is set');
    expect(page.text).toContain('Go back to your app');
    expect(heading(await begin(rp, browser))).toBe('Sign in to Acme Notes');
  });

  it('sees whose password it is, and so does the password manager', async () => {
    const page = await browser.open(await askForLink());
    expect(page.text).toContain(person.email);
    expect(fieldValue(page, 'username')).toBe(person.email);
    expect(page.html.querySelector('input[name=password]')?.getAttribute('autocomplete')).toBe('new-password');
  });

  it('is signed out everywhere else: sessions, refresh tokens and access tokens end', async () => {
    const device = new Browser(gatehouse.issuer);
    const tokens = await rp.signIn(person, { scope: 'openid offline_access', prompt: 'consent' }, device);
    const open = new Browser(gatehouse.issuer);
    const waiting = await enterPassword(open, await begin(rp, open), person);
    await set(await askForLink(), NEW);
    expect(heading(await begin(rp, device))).toBe('Sign in to Acme Notes');
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
    expect((await as(gatehouse, rp.app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    expect((await open.submit(waiting, { decision: 'allow' })).url.searchParams.get('code')).toBeNull();
  });

  it('hears of it by a mail, which has a link of its own', async () => {
    await set(await askForLink(), NEW);
    const notice = await mail.waitFor(person.email, /was changed/);
    expect(heading(await browser.open(notice.link))).toBe('Set a new password');
  });

  it('has proved the e-mail by it', async () => {
    const account = await gatehouse.accounts.create({ email: 'fresh@example.com', name: 'Fresh', password: NEW });
    await set(await askForLink({ sub: account.id, email: 'fresh@example.com', password: NEW }), `${NEW}!`);
    expect(await gatehouse.accounts.get('fresh@example.com')).toMatchObject({ email_verified: true });
  });

  it('hears what is wrong with the new password, and the link stays good', async () => {
    const link = await askForLink();
    for (const [password, said] of [
      ['short', 'too short'],
      ['password123', 'Many people use'],
      ['p'.repeat(257), 'too long'],
      ['', 'too short'],
    ] as const) {
      const page = await set(link, password);
      expect(page.status).toBe(400);
      expect(alertText(page)).toContain(said);
    }
    expect(heading(await set(link, NEW))).toBe('Acme Notes wants access');
  });

  it('uses a link once, however many try at the same moment', async () => {
    const link = await askForLink();
    const shown = await atOnce(10, async () => {
      const own = new Browser(gatehouse.issuer);
      return { own, page: await own.open(link) };
    });
    const answers = await atOnce(10, (index) =>
      shown[index]!.own.submit(shown[index]!.page, { password: `${NEW} number ${index}` }),
    );
    expect(answers.filter((answer) => heading(answer) === 'Your password is set')).toHaveLength(1);
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
  });

  it('finds an older link dead when a newer one was sent', async () => {
    const first = await askForLink();
    const second = await askForLink();
    expect(heading(await browser.open(first))).toBe('This link is no longer good');
    expect(heading(await browser.open(second))).toBe('Set a new password');
  });

  it('finds the link dead after an hour', async () => {
    const link = await askForLink();
    passTime(3601);
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
  });

  it('finds the link dead once the password or the e-mail was changed otherwise', async () => {
    const link = await askForLink();
    await gatehouse.access.setPassword(person.sub, NEW);
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
    const next = await askForLink();
    const account = await gatehouse.accounts.get(person.sub);
    await gatehouse.verification.emailChanges.change(account, `new.${person.email}`, 'en');
    expect(heading(await browser.open(next))).toBe('This link is no longer good');
  });

  it('that is suspended hears the same and gets nowhere', async () => {
    const link = await askForLink();
    await gatehouse.access.suspend(person.sub);
    expect(heading(await browser.open(link))).toBe('This link is no longer good');
    const page = await forgotPassword(rp, new Browser(gatehouse.issuer), person.email);
    expect(heading(page)).toBe('Check your mail');
    expect((await mail.waitFor(person.email, /no account/)).link).toBe('');
  });

  it('without an account learns it by mail, at most once a day', async () => {
    for (let i = 0; i < 3; i += 1) await forgotPassword(rp, browser, 'nobody@example.com');
    await mail.waitFor('nobody@example.com');
    passTime(86_400);
    await forgotPassword(rp, new Browser(gatehouse.issuer), 'nobody@example.com');
    await mail.waitFor('nobody@example.com');
    expect(mail.mails.filter(({ to }) => to.includes('nobody@example.com'))).toHaveLength(2);
  });

  it('finds the address of login_hint filled in, and hears when it is none', async () => {
    const start = await begin(rp, browser, { login_hint: person.email });
    const page = await browser.open(linkNamed(start, 'Forgot your password?'));
    expect(fieldValue(page, 'email')).toBe(person.email);
    const answer = await browser.submit(page, { email: 'nonsense' });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('full e-mail address');
  });

  it.each(['', 'x', 'A'.repeat(43), `${'A'.repeat(43)}&token=x`, '../../etc/passwd', '%00', 'A'.repeat(6000), '🔑'])(
    'that comes by a link with %j for a token sees what happened',
    async (token) => {
      const page = await browser.open(`/mailed/reset-password?token=${encodeURIComponent(token)}`);
      expect(page.status).toBe(400);
      expect(heading(page)).toBe('This link is no longer good');
    },
  );

  it('cannot use a link for another purpose, or without the form of ours', async () => {
    const link = await askForLink();
    const token = new URL(link).searchParams.get('token')!;
    for (const purpose of ['verify-email', 'confirm-sign-up', 'sign-in', 'change-email', 'undo-email-change']) {
      expect(heading(await browser.open(`/mailed/${purpose}?token=${token}`))).toBe('This link is no longer good');
    }
    const bare = await browser.open('/mailed/reset-password', {
      method: 'POST',
      body: new URLSearchParams({ token, password: NEW }),
    });
    expect(bare.status).toBe(403);
    const json = await browser.open('/mailed/reset-password', {
      method: 'POST',
      body: JSON.stringify({ token, password: NEW }),
      headers: { 'content-type': 'application/json' },
    });
    expect([400, 403]).toContain(json.status);
    expect(heading(await set(link, NEW))).toBe('Acme Notes wants access');
  });
});

describe('where no mail can be sent', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('nothing offers to send one, and its address is not found', async () => {
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(await relyingParty(gatehouse, await gatehouse.app()), browser);
    expect(page.text).not.toContain('Forgot');
    expect((await browser.open(`${page.url.pathname}/forgot-password`)).status).toBe(404);
    expect((await browser.open(`${page.url.pathname}/mailed-sign-in`)).status).toBe(404);
  });
});
