import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eraseDue } from '../../src/accounts/erasing.ts';
import { createLogger } from '../../src/log.ts';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { PASSWORD, startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  alertText,
  authorize,
  backToNow,
  begin,
  enterPassword,
  fieldValue,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { browserOn, openAccount, rows, statusText } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const log = createLogger('silent');
let gatehouse: Running;
let app: App;
let rp: RelyingParty;
let person: Person;
let browser: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  app = await gatehouse.app();
  rp = await relyingParty(gatehouse, app);
});
afterAll(() => gatehouse.stop());
beforeEach(async () => {
  person = await gatehouse.person();
  browser = browserOn(gatehouse.issuer, 'laptop');
});
afterEach(backToNow);

describe('the account page', () => {
  it('asks who it is and then greets', async () => {
    const page = await browser.open('/account');
    expect(heading(page)).toBe('Sign in to Gatehouse');
    const home = await enterPassword(browser, page, person);
    expect([home.status, heading(home)]).toEqual([200, 'Hello Ada Lovelace']);
    expect(home.text).toContain(person.email);
  });

  it('knows who is signed in to an app', async () => {
    await authorize(rp, person, {}, browser);
    expect(heading(await browser.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('leads to the page that was asked for', async () => {
    expect(heading(await openAccount(browser, person, '/sessions'))).toBe('Devices');
  });

  it('is left by signing out, which ends the sign-in for apps too', async () => {
    const page = await openAccount(browser, person);
    const out = await browser.submit(page, {}, '/sign-out');
    expect(heading(out)).toBe('You are signed out');
    expect(heading(await browser.open('/account'))).toBe('Sign in to Gatehouse');
    expect((await begin(rp, browser, { prompt: 'none' })).url.searchParams.get('error')).toBe('login_required');
  });

  it('ends with the session of the provider', async () => {
    await openAccount(browser, person);
    await gatehouse.access.suspend(person.sub);
    await gatehouse.access.resume(person.sub);
    expect(heading(await browser.open('/account/profile'))).toBe('Sign in to Gatehouse');
  });

  it('says so when the sign-in is cancelled, and offers another try', async () => {
    const page = await browser.submit(await browser.open('/account'), {}, '/cancel');
    expect([page.status, heading(page)]).toEqual([400, 'You are not signed in']);
  });

  it('is not there where it is turned off', async () => {
    const without = await startGatehouse({ GATEHOUSE_PORTAL_ENABLED: 'false' });
    expect((await new Browser(without.issuer).open('/account')).status).toBe(404);
    await without.stop();
  });

  it('works where the issuer has a path', async () => {
    const below = await startGatehouse({}, '/id');
    const ada = await below.person();
    const other = new Browser(below.issuer);
    const home = await enterPassword(other, await other.open('/id/account'), ada);
    expect([home.url.pathname, heading(home)]).toEqual(['/id/account', 'Hello Ada Lovelace']);
    const saved = await other.submit(await other.open('/id/account/profile'), { nickname: 'Countess' });
    expect([saved.url.pathname, statusText(saved)]).toEqual(['/id/account/profile', 'Your profile is saved.']);
    await below.stop();
  });
});

describe('the profile', () => {
  const edit = async (values: Record<string, string>) =>
    browser.submit(await openAccount(browser, person, '/profile'), values, '/profile');

  it('is saved, and apps see it', async () => {
    const page = await edit({
      name: ' Ada King ',
      nickname: 'Countess',
      zoneinfo: 'Europe/London',
      picture: 'https://example.com/a.png',
    });
    expect(statusText(page)).toBe('Your profile is saved.');
    const tokens = await rp.signIn(person, {}, browser);
    expect((await userinfo(gatehouse, tokens.access_token)).body).toMatchObject({
      name: 'Ada King',
      nickname: 'Countess',
      zoneinfo: 'Europe/London',
      picture: 'https://example.com/a.png',
    });
  });

  it('says what was done once', async () => {
    await edit({ nickname: 'Countess' });
    expect(statusText(await browser.open('/account/profile'))).toBe('');
  });

  it('loses what is emptied', async () => {
    await edit({ nickname: 'Countess' });
    await edit({ nickname: '' });
    expect((await gatehouse.accounts.get(person.sub)).claims).not.toHaveProperty('nickname');
  });

  it('keeps what was typed and names every problem', async () => {
    const page = await edit({
      name: '',
      website: 'javascript:alert(1)',
      picture: 'http://example.com/a.png',
      birthdate: '1990-02-31',
      locale: 'x!',
    });
    expect(page.status).toBe(400);
    expect(fieldValue(page, 'website')).toBe('javascript:alert(1)');
    for (const name of ['Enter a name', 'Website', 'Address of your picture', 'Birthday', 'Language'])
      expect(alertText(page)).toContain(name);
    expect((await gatehouse.accounts.get(person.sub)).name).toBe('Ada Lovelace');
  });
});

describe('the devices', () => {
  it('are listed with this one first', async () => {
    const phone = browserOn(gatehouse.issuer, 'phone');
    await openAccount(phone, person);
    passTime(60);
    const [first, second] = rows(await openAccount(browser, person, '/sessions'));
    expect(first).toMatch(/^Firefox, Windows This device From (127\.0\.0\.1|::1) Signed in .*20\d\d/);
    expect(second).toMatch(/^Safari, iOS From .* Last used .*Sign out$/);
  });

  it('are signed out one at a time, with what was signed in there', async () => {
    const phone = browserOn(gatehouse.issuer, 'phone');
    const { callback, checks } = await authorize(rp, person, {}, phone);
    const tokens = await rp.redeem(callback, checks);
    const page = await openAccount(browser, person, '/sessions');
    const done = await browser.submit(page, {}, '/end');
    expect([statusText(done), rows(done).length]).toEqual(['That device is signed out.', 1]);
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
    expect(heading(await phone.open('/account'))).toBe('Sign in to Gatehouse');
    expect(heading(await browser.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('are all signed out but this one', async () => {
    const others = [browserOn(gatehouse.issuer, 'phone'), browserOn(gatehouse.issuer, 'phone')];
    for (const other of others) await openAccount(other, person);
    await openAccount(browser, person);
    const page = await browser.open('/account/sessions/others');
    expect(page.text).toContain('2 other devices are signed in.');
    const done = await browser.submit(page, {}, '/sessions/others');
    expect([statusText(done), rows(done).length]).toEqual(['2 other devices are signed out.', 1]);
    for (const other of others) expect(heading(await other.open('/account'))).toBe('Sign in to Gatehouse');
  });

  it('asks for a fresh proof before it signs out all others, and comes back', async () => {
    await openAccount(browser, person);
    passTime(301);
    const asked = await browser.open('/account/sessions/others');
    expect(heading(asked)).toBe('Confirm it is you');
    const page = await enterPassword(browser, asked, person);
    expect([page.url.pathname, heading(page)]).toEqual(['/account/sessions/others', 'Sign out all other devices']);
    passTime(301);
    const late = await browser.submit(page, {}, '/sessions/others');
    expect(heading(late)).toBe('Confirm it is you');
  });
});

describe('the apps', () => {
  it('are shown with what they may see, and when they were last used', async () => {
    const tokens = await rp.signIn(person, { scope: 'openid email offline_access' }, browser);
    passTime(2 * 86_400);
    await as(gatehouse, app).refresh(tokens.refresh_token!);
    const [row] = rows(await openAccount(browser, person, '/apps'));
    expect(row).toContain('Acme Notes');
    expect(row).toContain('Your e-mail');
    const times = /Since (.*?) · last used (.*?) Remove/.exec(row!)!;
    expect(new Date(times[2]!).getTime() - new Date(times[1]!).getTime()).toBeGreaterThan(86_400_000);
  });

  it('lose their tokens when access is removed, and must ask again', async () => {
    const tokens = await rp.signIn(person, { scope: 'openid offline_access' }, browser);
    const done = await browser.submit(await openAccount(browser, person, '/apps'), {}, '/withdraw');
    expect(statusText(done)).toBe('Acme Notes has no access any more.');
    expect(done.text).toContain('No apps yet');
    expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    expect(heading(await begin(rp, browser))).toBe('Acme Notes wants access');
  });

  it('that are ours are shown as such, and can be signed out of', async () => {
    const own = await relyingParty(gatehouse, await gatehouse.app({ first_party: true, name: 'Own App' }));
    const tokens = await own.signIn(person, {}, browser);
    const page = await openAccount(browser, person, '/apps');
    expect(rows(page)[0]).toContain('Own App Part of this service');
    await browser.submit(page, {}, '/withdraw');
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
  });
});

describe('the activity', () => {
  it('tells sign-ins, wrong passwords and changes, the newest first', async () => {
    const page = await browser.open('/account/activity');
    await enterPassword(browser, await enterPassword(browser, page, { ...person, password: 'not this one' }), person);
    passTime(5);
    await browser.submit(await browser.open('/account/profile'), { nickname: 'Countess' }, '/profile');
    const shown = rows(await browser.open('/account/activity'));
    expect(shown[0]).toMatch(/^Profile changed Firefox, Windows · (127\.0\.0\.0\/24|0:0:0::\/48) .*20\d\d/);
    expect(shown.join('\n')).toContain('Signed in to Gatehouse');
    expect(shown.join('\n')).toContain('A wrong password was entered Check this');
  });

  it('goes on where a page is full', async () => {
    await openAccount(browser, person);
    for (let index = 0; index < 30; index += 1) await gatehouse.audit.record('profile_changed', person.sub);
    const first = await browser.open('/account/activity');
    const second = await browser.open(linkNamed(first, 'Older'));
    expect([rows(first).length, rows(second).length]).toEqual([25, 6]);
    expect(rows(await browser.open('/account/activity?after=nonsense'))).toEqual(rows(first));
  });

  it('tells what apps were allowed and lost', async () => {
    await rp.signIn(person, {}, browser);
    await browser.submit(await openAccount(browser, person, '/apps'), {}, '/withdraw');
    const shown = rows(await browser.open('/account/activity')).join('\n');
    expect(shown).toContain('Acme Notes was given access');
    expect(shown).toContain('The access of Acme Notes was removed');
  });
});

describe('the password', () => {
  const NEW = 'another tr0ubadour altogether';

  it('is changed, other devices and apps are signed out, this one is not', async () => {
    const tokens = await rp.signIn(person, { scope: 'openid offline_access' }, browser);
    const phone = browserOn(gatehouse.issuer, 'phone');
    await openAccount(phone, person);
    const page = await browser.open('/account/password');
    const done = await browser.submit(page, { current: person.password, password: NEW }, '/password');
    expect([done.url.pathname, statusText(done)]).toEqual([
      '/account/password',
      'Your password is saved. All other devices are signed out.',
    ]);
    expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    expect(heading(await phone.open('/account'))).toBe('Sign in to Gatehouse');
    expect(heading(await openAccount(phone, { ...person, password: NEW }))).toBe('Hello Ada Lovelace');
  });

  it.each([
    ['without the current one', { current: 'not this one', password: NEW }, 'That is not your current password'],
    ['to a short one', { current: PASSWORD, password: 'short' }, 'too short'],
    ['to a common one', { current: PASSWORD, password: 'password1' }, 'Many people use this password'],
  ])('is not changed %s', async (_what, values, problem) => {
    const page = await openAccount(browser, person, '/password');
    const refused = await browser.submit(page, values, '/password');
    expect([refused.status, alertText(refused)]).toEqual([400, expect.stringContaining(problem)]);
    expect(await gatehouse.accounts.authenticate(person.email, PASSWORD)).toBeDefined();
  });

  it('is set where there is none', async () => {
    await openAccount(browser, person);
    const account = await gatehouse.storage.accounts.find(person.sub);
    await gatehouse.storage.accounts.update({ ...account!, password_hash: null });
    const done = await browser.submit(await browser.open('/account/password'), { password: NEW }, '/password');
    expect(statusText(done)).toContain('Your password is saved');
    expect(await gatehouse.accounts.authenticate(person.email, NEW)).toBeDefined();
  });

  it('may be guessed only so often', async () => {
    const page = await openAccount(browser, person, '/password');
    let last = page;
    for (let index = 0; index < 12; index += 1)
      last = await browser.submit(page, { current: `wrong ${index}`, password: NEW }, '/password');
    expect([last.status, alertText(last)]).toEqual([429, expect.stringContaining('Too many tries')]);
  });
});

describe('a download', () => {
  it('holds everything but secrets', async () => {
    await rp.signIn(person, { scope: 'openid email offline_access' }, browser);
    const page = await openAccount(browser, person, '/download');
    const file = await browser.submit(page, {}, '/download');
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="account.json"');
    const data = JSON.parse(file.text) as Record<string, unknown>;
    expect(data).toMatchObject({
      account: { sub: person.sub, email: person.email, has_password: true },
      apps: [{ client_id: app.client_id }],
      sessions: [{ user_agent: expect.stringContaining('Firefox') as string }],
      passkeys: [],
      remembered_devices: [],
      activity: expect.arrayContaining([expect.objectContaining({ type: 'data_downloaded' })]) as unknown,
    });
    expect(file.text).not.toContain('argon2');
  });

  it('asks for a fresh proof', async () => {
    await openAccount(browser, person);
    passTime(301);
    expect(heading(await browser.open('/account/download'))).toBe('Confirm it is you');
  });
});

describe('deleting the account', () => {
  const ask = async () => browser.submit(await openAccount(browser, person, '/delete'), {}, '/delete');

  it('signs out everywhere at once', async () => {
    const tokens = await rp.signIn(person, { scope: 'openid offline_access' }, browser);
    expect(heading(await ask())).toBe('Your account will be deleted');
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
    expect((await as(gatehouse, app).refresh(tokens.refresh_token!)).body['error']).toBe('invalid_grant');
    expect(heading(await browser.open('/account'))).toBe('Sign in to Gatehouse');
  });

  it('can be taken back by signing in', async () => {
    await ask();
    const offer = await enterPassword(browser, await browser.open('/account'), person);
    expect(heading(offer)).toBe('Keep your account?');
    const home = await browser.submit(offer, { decision: 'keep' }, '/keep');
    expect(heading(home)).toBe('Hello Ada Lovelace');
    expect(await gatehouse.accounts.get(person.sub)).toMatchObject({ state: 'active', erase_at: null });
    passTime(8 * 86_400);
    await eraseDue({ ...gatehouse, erase: gatehouse.access.remove, log });
    expect(await gatehouse.accounts.find(person.sub)).toBeDefined();
  });

  it('goes on where the person signs in and wants it so, and no app gets in meanwhile', async () => {
    await ask();
    const offer = await enterPassword(browser, await begin(rp, browser), person);
    const back = await browser.submit(offer, { decision: 'leave' }, '/keep');
    expect(back.url.searchParams.get('error')).toBe('access_denied');
    expect((await begin(rp, browser, { prompt: 'none' })).url.searchParams.get('error')).toBe('login_required');
    expect((await gatehouse.accounts.get(person.sub)).state).toBe('deleting');
  });

  it('erases everything when its time has come; what happened stays under a pseudonym', async () => {
    await rp.signIn(person, {}, browser);
    await ask();
    passTime(8 * 86_400);
    await eraseDue({ ...gatehouse, erase: gatehouse.access.remove, log });
    expect(await gatehouse.accounts.find(person.sub)).toBeUndefined();
    expect(await gatehouse.storage.consents.listByAccount(person.sub)).toEqual([]);
    expect((await gatehouse.audit.listByAccount(person.sub, {})).items).toEqual([]);
    expect((await enterPassword(browser, await browser.open('/account'), person)).status).toBe(401);
  });

  it('cannot be taken back too late, even before everything is erased', async () => {
    await ask();
    passTime(8 * 86_400);
    expect((await enterPassword(browser, await browser.open('/account'), person)).status).toBe(401);
    // Erasing is due at any moment from now on, and then there is nothing to keep.
    const keeping = gatehouse.accounts.keep(person.sub).catch(({ code }: { code?: string }) => code);
    expect([undefined, 'not_found']).toContain(await keeping);
  });
});
