/** The account page against other sites, other people, and sessions that should be over. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, begin, enterPassword, fieldValue, heading, passTime } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { browserOn, openAccount, rows } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

let gatehouse: Running;
let app: App;
let rp: RelyingParty;
let ada: Person;
let bob: Person;
let adas: Browser;
let bobs: Browser;
beforeAll(async () => {
  gatehouse = await startGatehouse();
  app = await gatehouse.app();
  rp = await relyingParty(gatehouse, app);
});
afterAll(() => gatehouse.stop());
beforeEach(async () => {
  [ada, bob] = [await gatehouse.person(), await gatehouse.person({ name: 'Bob' })];
  [adas, bobs] = [browserOn(gatehouse.issuer, 'laptop'), browserOn(gatehouse.issuer, 'phone')];
});
afterEach(backToNow);

const PORTAL_COOKIE = 'gatehouse_account';
const cookie = async (browser: Browser, name: string) =>
  (await browser.jar.getCookies(gatehouse.issuer)).find(({ key }) => key === name);
const post = (browser: Browser, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  browser.request(`/account${path}`, { method: 'POST', body: new URLSearchParams(fields), headers });
const connect = (accountId: string, subject: string) =>
  gatehouse.storage.identities.insert({
    provider: 'google',
    issuer: 'https://accounts.google.com',
    subject,
    account_id: accountId,
    email: null,
    created_at: new Date().toISOString(),
    last_used_at: new Date().toISOString(),
  });
/** The id in the address of a form. */
const idOn = (page: Page, act: string): string =>
  page.html
    .querySelectorAll('form')
    .map((form) => new RegExp(`/([^/]+)/${act}$`).exec(form.getAttribute('action') ?? '')?.[1])
    .find((id) => id !== undefined)!;

describe('what belongs to another person', () => {
  it('a session cannot be ended', async () => {
    const second = browserOn(gatehouse.issuer, 'phone');
    await openAccount(second, ada);
    const id = idOn(await openAccount(adas, ada, '/sessions'), 'end');
    const _csrf = fieldValue(await openAccount(bobs, bob, '/profile'), '_csrf');
    expect((await post(bobs, `/sessions/${id}/end`, { _csrf })).status).toBe(404);
    expect(heading(await second.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('an app keeps its access', async () => {
    const tokens = await rp.signIn(ada, {}, adas);
    const _csrf = fieldValue(await openAccount(bobs, bob, '/profile'), '_csrf');
    expect((await post(bobs, `/apps/${app.client_id}/withdraw`, { _csrf })).status).toBe(404);
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(200);
    expect(await gatehouse.storage.consents.listByAccount(ada.sub)).toHaveLength(1);
  });

  it('a connected account stays connected', async () => {
    await connect(ada.sub, `ada of ${ada.sub}`);
    const id = idOn(await openAccount(adas, ada, '/providers'), 'disconnect');
    const _csrf = fieldValue(await openAccount(bobs, bob, '/profile'), '_csrf');
    expect((await post(bobs, `/providers/${id}/disconnect`, { _csrf })).status).toBe(404);
    expect(await gatehouse.storage.identities.listByAccount(ada.sub)).toHaveLength(1);
  });

  it('is on none of the pages, and in no download', async () => {
    await connect(ada.sub, `hidden of ${ada.sub}`);
    await rp.signIn(ada, {}, adas);
    await openAccount(bobs, bob);
    for (const path of ['', '/profile', '/email', '/providers', '/sessions', '/apps', '/activity']) {
      const page = await bobs.open(`/account${path}`);
      expect([path, page.status, page.text.includes(ada.email), page.text.includes(ada.sub)]).toEqual([
        path,
        200,
        false,
        false,
      ]);
    }
    const file = await bobs.submit(await bobs.open('/account/download'), {}, '/download');
    expect(file.text).not.toContain(ada.sub);
    expect(rows(await bobs.open('/account/sessions'))).toHaveLength(1);
  });

  it('is not shown by a cursor of theirs', async () => {
    for (let index = 0; index < 30; index += 1) await gatehouse.audit.record('profile_changed', ada.sub);
    const page = await openAccount(adas, ada, '/activity');
    const older = page.html
      .querySelectorAll('a')
      .find((link) => link.text.trim() === 'Older')!
      .getAttribute('href')!;
    await openAccount(bobs, bob);
    expect(rows(await bobs.open(older)).join()).not.toContain('Profile changed');
  });
});

describe("the account page's own session", () => {
  it('gets another id at sign-in: a planted one is not signed in', async () => {
    const page = await openAccount(bobs, bob);
    const before = await bobs.jar.getCookies(gatehouse.issuer);
    await bobs.submit(page, {}, '/sign-out');
    for (const one of before) await bobs.jar.setCookie(one.toString(), gatehouse.issuer);
    const planted = (await cookie(bobs, PORTAL_COOKIE))!;
    const signature = (await cookie(bobs, `${PORTAL_COOKIE}.sig`))!;
    for (const one of [planted, signature]) await adas.jar.setCookie(one.toString(), gatehouse.issuer);
    await openAccount(adas, ada);
    expect((await cookie(adas, PORTAL_COOKIE))!.value).not.toBe(planted.value);
    expect(heading(await bobs.open('/account'))).toBe('Sign in to Gatehouse');
  });

  it('is not begun, and nothing of it stored, for whoever only looks', async () => {
    const stored = vi.spyOn(gatehouse.storage.protocol, 'upsert');
    const kinds = () => stored.mock.calls.map(([{ kind }]) => kind);
    for (let index = 0; index < 3; index += 1) await adas.request('/account/profile');
    expect([kinds(), await cookie(adas, PORTAL_COOKIE)]).toEqual([[], undefined]);
    await openAccount(adas, ada);
    expect(kinds()).toContain('PortalSession');
    stored.mockRestore();
  });

  it('goes on where several tabs began to sign in, the newest five', async () => {
    const tabs = [];
    for (let index = 0; index < 7; index += 1) tabs.push(await adas.open(`/account/profile?tab=${index}`));
    expect(heading(await enterPassword(adas, tabs[2]!, ada))).toBe('Profile');
    const late = await adas.open(tabs[0]!.url);
    expect(late.status).toBeLessThan(500);
  });

  it('is not begun by the answer to a sign-in of another browser', async () => {
    const page = await bobs.open('/account');
    const form = page.html.querySelector('form')!;
    const body = new URLSearchParams({ _csrf: fieldValue(page, '_csrf'), email: bob.email, password: bob.password });
    const answer = await bobs.request(form.getAttribute('action')!, { method: 'POST', body });
    const resume = await bobs.request(/url=(.*)$/.exec(answer.headers.get('refresh')!)![1]!);
    const callback = resume.headers.get('location')!;
    expect(callback).toContain('/account/callback?code=');
    const lured = await adas.open(callback);
    expect([lured.status, heading(lured)]).toEqual([400, 'You are not signed in']);
    expect(heading(await adas.open('/account'))).toBe('Sign in to Gatehouse');
  });

  it('is not begun twice by one answer', async () => {
    await openAccount(adas, ada);
    const again = await adas.open('/account/callback?code=x&state=y');
    expect(again.status).toBe(400);
    expect(heading(await adas.open('/account'))).toBe('Hello Ada Lovelace');
  });

  it('ends when the person logs out by an app', async () => {
    await openAccount(adas, ada);
    const confirm = await adas.open('/session/end');
    await adas.submit(confirm, { logout: 'yes' });
    expect(heading(await adas.open('/account/profile'))).toBe('Sign in to Gatehouse');
  });

  it.each([
    ['is suspended', (sub: string) => gatehouse.access.suspend(sub)],
    ['gets a password from an admin', (sub: string) => gatehouse.access.setPassword(sub, 'another tr0ubadour')],
    ['is deleted', (sub: string) => gatehouse.access.remove(sub)],
  ])('ends when the account %s', async (_what, act) => {
    const _csrf = fieldValue(await openAccount(adas, ada, '/profile'), '_csrf');
    await act(ada.sub);
    const answer = await post(adas, '/profile', { _csrf, name: 'Still here' });
    expect(answer.headers.get('location')).toContain('/auth?');
    expect((await gatehouse.accounts.find(ada.sub))?.name).not.toBe('Still here');
  });

  it('ends when the session of the provider was idle too long', async () => {
    await openAccount(adas, ada);
    passTime(86_401);
    expect(heading(await adas.open('/account'))).toBe('Sign in to Gatehouse');
  });

  it('ends when somebody else signs in here', async () => {
    await openAccount(adas, ada);
    await enterPassword(adas, await begin(rp, adas, { prompt: 'login' }), bob);
    const page = await adas.open('/account');
    expect(page.text).not.toContain(ada.email);
    expect(heading(page)).toBe('Hello Bob');
  });

  it('is not brought back by cookies that were kept', async () => {
    const page = await openAccount(adas, ada);
    const kept = await adas.jar.getCookies(gatehouse.issuer);
    await adas.submit(page, {}, '/sign-out');
    const thief = new Browser(gatehouse.issuer);
    for (const one of kept) await thief.jar.setCookie(one.toString(), gatehouse.issuer);
    expect(heading(await thief.open('/account'))).toBe('Sign in to Gatehouse');
  });

  it('rests in a cookie that scripts and other sites do not get', async () => {
    await openAccount(adas, ada);
    expect(await cookie(adas, PORTAL_COOKIE)).toMatchObject({ httpOnly: true, sameSite: 'lax' });
  });
});

describe('a stolen browser', () => {
  const DANGEROUS = ['/password', '/download', '/delete', '/sessions/others'];

  it.each(DANGEROUS)('does not get to %s without proving who it is', async (path) => {
    await openAccount(adas, ada);
    const page = await adas.open(`/account${path}`);
    const _csrf = fieldValue(page, '_csrf');
    passTime(301);
    expect(heading(await adas.open(`/account${path}`))).toBe('Confirm it is you');
    const sent = await post(adas, path, { _csrf, current: ada.password, password: 'another tr0ubadour' });
    expect(sent.headers.get('location')).toContain('max_age=300');
    expect(await gatehouse.accounts.get(ada.sub)).toMatchObject({ state: 'active' });
    expect(await gatehouse.accounts.authenticate(ada.email, ada.password)).toBeDefined();
  });

  it('does not get there by proving to be somebody else', async () => {
    await openAccount(adas, ada);
    passTime(301);
    const page = await enterPassword(adas, await adas.open('/account/delete'), bob);
    await adas.submit(page, {}, '/delete');
    expect((await gatehouse.accounts.get(ada.sub)).state).toBe('active');
  });
});

describe('words of other people', () => {
  it('are text on every page', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    const named = await gatehouse.person({ name: evil });
    const lure = await relyingParty(gatehouse, await gatehouse.app({ name: evil }));
    await lure.signIn(named, {}, adas);
    await openAccount(adas, named);
    for (const path of ['', '/profile', '/sessions', '/apps', '/activity'])
      expect([path, (await adas.open(`/account${path}`)).text.includes(evil)]).toEqual([path, false]);
  });

  it('lead nowhere else', async () => {
    for (const path of [
      '//evil.example',
      '/%2f%2fevil.example',
      '/\\evil.example',
      '/callback?iss=https://evil.example',
    ]) {
      const answer = await adas.request(`/account${path}`);
      const location = answer.headers.get('location');
      expect(location === null || new URL(location, gatehouse.issuer).origin === gatehouse.issuer).toBe(true);
    }
  });
});
