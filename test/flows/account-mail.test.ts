import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../support/browser.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, backToNow, enterPassword, fieldValue, heading, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { pressButton, startWithMail } from '../support/mailed.ts';
import type { WithMail } from '../support/mailed.ts';
import { browserOn, openAccount, rows, statusText } from '../support/portal.ts';
import { startWithUpstreams } from '../support/upstream.ts';

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
