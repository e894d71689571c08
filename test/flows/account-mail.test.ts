import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  alertText,
  atOnce,
  backToNow,
  enterPassword,
  fieldValue,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { pressButton, startWithMail } from '../support/mailed.ts';
import type { WithMail } from '../support/mailed.ts';
import { browserOn, openAccount, rows, statusText } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { clickThrough } from '../support/relying-party.ts';
import { press, startWithUpstreams } from '../support/upstream.ts';

describe('with mail, on the account page', () => {
  let running: WithMail;
  let gatehouse: Running;
  let mail: MailServer;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    running = await startWithMail();
    ({ gatehouse, mail } = running);
  });
  afterAll(() => running.stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = browserOn(gatehouse.issuer, 'laptop');
  });
  afterEach(backToNow);

  const askFor = async (new_email: string) => {
    await openAccount(browser, person);
    return browser.submit(await browser.open('/account/email'), { new_email }, '/email');
  };

  it('another e-mail is confirmed where it leads, and the old one is told', async () => {
    const email = `new-${person.email}`;
    expect(statusText(await askFor(email))).toBe(
      `We sent a mail to ${email}. The change is made when you confirm it there.`,
    );
    expect((await gatehouse.accounts.get(person.sub)).email).toBe(person.email);
    await pressButton(browser, (await mail.waitFor(email)).link);
    expect((await gatehouse.accounts.get(person.sub)).email).toBe(email);
    expect((await mail.waitFor(person.email)).subject).toContain('changed');
    const shown = rows(await browser.open('/account/activity')).join();
    expect(shown).toContain('E-mail changed');
    expect(shown).toContain('Another e-mail was asked for');
  });

  it('an e-mail that is none, or the same, is refused with what was typed', async () => {
    const page = await askFor('no address');
    expect([page.status, fieldValue(page, 'new_email')]).toEqual([400, 'no address']);
    expect(alertText(page)).toContain('Enter an e-mail address');
    expect(alertText(await askFor(person.email.toUpperCase()))).toContain('you have already');
  });

  it('another e-mail needs a fresh proof, and what was typed is still there afterwards', async () => {
    await openAccount(browser, person);
    const page = await browser.open('/account/email');
    passTime(301);
    const asked = await browser.submit(page, { new_email: 'ada@example.org' }, '/email');
    expect(heading(asked)).toBe('Confirm it is you');
    const back = await enterPassword(browser, asked, person);
    expect([heading(back), fieldValue(back, 'new_email')]).toEqual(['E-mail', 'ada@example.org']);
  });

  it('a changed password is told by mail', async () => {
    const page = await openAccount(browser, person, '/password');
    await browser.submit(page, { current: person.password, password: 'another tr0ubadour' }, '/password');
    expect((await mail.waitFor(person.email)).subject).toBe('Your password was changed');
  });

  describe('whoever forgot the password of an account that is to be deleted', () => {
    const leave = async () => {
      await browser.submit(await openAccount(browser, person, '/delete'), {}, '/delete');
      await mail.waitFor(person.email, /will be deleted/);
    };
    const NEW = 'another tr0ubadour altogether';

    it('sets a new one by mail, and may then keep it', async () => {
      await leave();
      const page = await browser.open(linkNamed(await browser.open('/account'), 'Forgot your password?'));
      await browser.submit(page, { email: person.email });
      const { link } = await mail.waitFor(person.email, /new password/);
      const offer = await pressButton(browser, link, { password: NEW });
      expect(heading(offer)).toBe('Keep your account?');
      const home = await browser.submit(offer, { decision: 'keep' }, '/keep');
      expect(heading(home)).toBe('Hello Ada Lovelace');
      expect(await gatehouse.accounts.get(person.sub)).toMatchObject({ state: 'active', erase_at: null });
    });

    it('does not keep it by that alone, nor get in', async () => {
      await leave();
      await gatehouse.verification.recovery.request({ email: person.email, locale: 'en' });
      const { link } = await mail.waitFor(person.email, /new password/);
      const phone = browserOn(gatehouse.issuer, 'phone');
      expect(heading(await pressButton(phone, link, { password: NEW }))).toBe('Your password is set');
      expect((await gatehouse.accounts.get(person.sub)).state).toBe('deleting');
      expect(heading(await openAccount(phone, { ...person, password: NEW }))).toBe('Keep your account?');
    });

    it('is told that there is no account once its time is over', async () => {
      await leave();
      passTime(8 * 86_400);
      await gatehouse.verification.recovery.request({ email: person.email, locale: 'en' });
      expect((await mail.waitFor(person.email, /no account/)).link).toBe('');
    });
  });

  it('a deletion is told by mail, with where to keep the account', async () => {
    await browser.submit(await openAccount(browser, person, '/delete'), {}, '/delete');
    const letter = await mail.waitFor(person.email);
    expect(letter.subject).toBe('Your account will be deleted');
    expect(letter.text).toContain(`${gatehouse.issuer}/account`);
  });
});

describe('connected accounts', () => {
  let gatehouse: Running;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startWithUpstreams({
      google: { client_id: 'x', client_secret: 'y' },
      github: { client_id: 'x', client_secret: 'y' },
    });
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = browserOn(gatehouse.issuer, 'laptop');
    await openAccount(browser, person);
    for (const provider of ['google', 'github'])
      await gatehouse.storage.identities.insert({
        provider,
        issuer: `https://${provider}.example`,
        subject: person.sub,
        account_id: person.sub,
        email: `ada@${provider}.example`,
        created_at: '2026-01-02T03:04:05.000Z',
        last_used_at: '2026-02-03T04:05:06.000Z',
      });
  });
  const withoutPassword = async () => {
    const account = await gatehouse.storage.accounts.find(person.sub);
    await gatehouse.storage.accounts.update({ ...account!, password_hash: null });
  };
  const left = async () => (await gatehouse.storage.identities.listByAccount(person.sub)).length;

  it('are listed, and disconnected', async () => {
    const page = await browser.open('/account/providers');
    expect(rows(page).find((row) => row.startsWith('G Google'))).toContain('ada@google.example Since January 2, 2026');
    const done = await browser.submit(page, {}, '/disconnect');
    expect([statusText(done), await left()]).toEqual([expect.stringContaining('is disconnected.'), 1]);
  });

  it('are kept where nothing else lets the person in', async () => {
    await withoutPassword();
    const page = await browser.submit(await browser.open('/account/providers'), {}, '/disconnect');
    expect(page.text).toContain('This is the only way into your account.');
    expect(page.html.querySelector('form[action$="/disconnect"]')).toBeNull();
    expect(await left()).toBe(1);
  });

  it('are not both taken away by two requests at once', async () => {
    await withoutPassword();
    const page = await browser.open('/account/providers');
    const forms = page.html.querySelectorAll('form').map((form) => form.getAttribute('action')!);
    const actions = forms.filter((action) => action.endsWith('/disconnect'));
    expect(actions).toHaveLength(2);
    const body = () => new URLSearchParams({ _csrf: fieldValue(page, '_csrf') });
    await atOnce(2, (index) => browser.request(actions[index]!, { method: 'POST', body: body() }));
    expect(await left()).toBeGreaterThan(0);
  });
});

describe('an account at another provider', () => {
  let company: Running;
  let gatehouse: Running;
  let person: Person;
  let browser: Browser;
  let there: Browser;
  beforeAll(async () => {
    company = await startGatehouse();
    const port = await freePort();
    const { client_id, client_secret } = await company.app({
      name: 'Gatehouse',
      redirect_uris: [`http://localhost:${port}/federation/company/callback`],
    });
    const provider = { type: 'oidc', display_name: 'The Company', issuer: company.issuer, client_id, client_secret };
    gatehouse = await startWithUpstreams({ company: provider }, {}, '', port);
  });
  afterAll(async () => {
    await gatehouse.stop();
    await company.stop();
  });
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = browserOn(gatehouse.issuer, 'laptop');
    there = browserOn(company.issuer, 'laptop');
  });

  const setOut = async (who = browser, as = person) =>
    (await who.submit(await openAccount(who, as, '/providers'), {}, '/connect')).url;
  const connect = async (employee: Person) => browser.open(await clickThrough(there, await setOut(), employee));

  it('is connected whatever its e-mail is, and signs in from then on', async () => {
    const employee = await company.person();
    const page = await connect(employee);
    expect(statusText(page)).toBe('The Company is connected. You can sign in with it from now on.');
    const other = browserOn(gatehouse.issuer, 'phone');
    const away = await press(other, await other.open('/account'), 'company');
    expect(heading(await other.open(await clickThrough(there, away, employee)))).toBe('Hello Ada Lovelace');
    expect((await gatehouse.accounts.get(person.sub)).email).toBe(person.email);
  });

  it('that signs in to another account here is not taken from it', async () => {
    const employee = await company.person();
    await connect(employee);
    const second = await gatehouse.person();
    const other = browserOn(gatehouse.issuer, 'phone');
    const page = await other.open(await clickThrough(there, await setOut(other, second), employee));
    expect(statusText(page)).toContain('signs in to another account here');
    expect(await gatehouse.storage.identities.listByAccount(second.sub)).toEqual([]);
  });

  it('is not connected to the account of whoever lured its person there', async () => {
    const employee = await company.person();
    const mallory = await gatehouse.person();
    const mallorys = browserOn(gatehouse.issuer, 'phone');
    const answer = await clickThrough(there, await setOut(mallorys, mallory), employee);
    await openAccount(browser, person);
    expect((await browser.open(answer)).status).toBe(400);
    expect(await gatehouse.storage.identities.listByAccount(mallory.sub)).toEqual([]);
  });

  it('is not connected to whoever is lured to the end of the way', async () => {
    const employee = await company.person();
    const mallorys = browserOn(gatehouse.issuer, 'phone');
    const answer = await clickThrough(there, await setOut(mallorys, await gatehouse.person()), employee);
    const last = (await mallorys.request(answer)).headers.get('location')!;
    expect(last).toContain('/account/providers/connected?handle=');
    await openAccount(browser, person);
    expect(statusText(await browser.open(last))).toContain('Nothing was connected');
    expect(await gatehouse.storage.identities.listByAccount(person.sub)).toEqual([]);
  });

  it('is not connected where the person cancels there', async () => {
    const page = await there.open(await setOut());
    const back = await there.submit(page, {}, '/cancel');
    expect(statusText(await browser.open(back.url))).toContain('you cancelled at The Company');
  });

  it('is not connected without a fresh proof', async () => {
    const page = await openAccount(browser, person, '/providers');
    passTime(301);
    expect(heading(await browser.submit(page, {}, '/connect'))).toBe('Confirm it is you');
    backToNow();
  });
});
