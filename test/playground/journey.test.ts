import { createRemoteJWKSet, jwtVerify } from 'jose';
import { parse } from 'node-html-parser';
import type { HTMLElement } from 'node-html-parser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';

const text = (element: HTMLElement | null) => (element?.text ?? '').replace(/\s+/g, ' ').trim();
const step = (page: Page, number: number) => page.html.querySelector(`#step-${number}`)!;
const state = (page: Page) => [1, 2, 3, 4, 5, 6, 7].map((number) => step(page, number).getAttribute('data-state'));
/** The parser leaves what stands in <pre> unread unless told to. */
const code = (page: Page, id: string) => text(parse(page.text, { blockTextElements: {} }).querySelector(`#${id}`));
const linkIn = (page: Page, number: number) => step(page, number).querySelector('a.gh-button')!.getAttribute('href')!;
const decodeEntities = (url: string) => url.replaceAll('&amp;', '&');

describe('the playground', () => {
  let gatehouse: Running;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_PLAYGROUND_ENABLED: 'true' });
  });
  beforeEach(() => {
    browser = new Browser(gatehouse.issuer);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  afterAll(() => gatehouse.stop());

  const begin = async (choices: Record<string, string> = {}) =>
    browser.submit(await browser.open('/playground'), choices, '/begin');

  const leave = (page: Page) => browser.open(decodeEntities(linkIn(page, 2)));

  async function signIn(choices: Record<string, string> = {}, roles: string[] = []): Promise<Page> {
    const { email, password } = await gatehouse.person({ roles });
    let page = await leave(await begin(choices));
    page = await browser.submit(page, { email, password });
    return browser.submit(page, { decision: 'allow' });
  }

  it('explains every parameter of the authorization request before anybody leaves', async () => {
    const page = await begin({ api: 'playground', prompt: 'consent' });
    expect(state(page)).toEqual(['done', 'current', 'todo', 'todo', 'todo', 'todo', 'todo']);
    const url = new URL(decodeEntities(linkIn(page, 2)));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: 'playground',
      response_type: 'code',
      redirect_uri: `${gatehouse.issuer}/playground/callback`,
      scope: 'openid profile email roles offline_access',
      code_challenge_method: 'S256',
      prompt: 'consent',
      resource: `${gatehouse.issuer}/playground/api`,
    });
    const explained = step(page, 2).querySelectorAll('.gh-param');
    expect(explained.map((one) => text(one.querySelector('dt')))).toEqual([...url.searchParams.keys()]);
    for (const one of explained) expect(text(one.querySelector('.gh-param__why'))).not.toBe('');
  });

  it('shows tokens that verify, and says what it checked', async () => {
    const page = await signIn({ api: 'playground' }, ['editor']);
    expect(page.url.href).toBe(`${gatehouse.issuer}/playground`);
    expect(state(page)).toEqual(['done', 'done', 'done', 'done', 'done', 'current', 'todo']);
    expect(text(page.html.querySelector('[role=status]'))).toContain('signed in as Ada Lovelace');

    const keys = createRemoteJWKSet(new URL(`${gatehouse.issuer}/jwks`));
    const options = { issuer: gatehouse.issuer };
    const id = await jwtVerify(code(page, 'id-token'), keys, { ...options, audience: 'playground' });
    expect(id.payload).toMatchObject({ name: 'Ada Lovelace', roles: ['editor'] });
    const audience = `${gatehouse.issuer}/playground/api`;
    await jwtVerify(code(page, 'access-token'), keys, { ...options, audience, typ: 'at+jwt' });

    const checks = [...step(page, 3).querySelectorAll('[data-mark]'), ...step(page, 5).querySelectorAll('[data-mark]')];
    expect(checks).toHaveLength(3 + 5 + 5);
    expect(new Set(checks.map((check) => check.getAttribute('data-mark')))).toEqual(new Set(['ok']));
    expect(text(step(page, 4))).not.toContain('Not granted');
  });

  it('tells an opaque access token from a JWT', async () => {
    const page = await signIn();
    expect(text(step(page, 5))).toContain('Access token Opaque');
  });

  it('says which scopes it did not get', async () => {
    const { email, password } = await gatehouse.person();
    let page = await browser.submit(await leave(await begin()), { email, password });
    page = await browser.submit(page, { decision: 'allow', scope: undefined as never });
    expect(text(step(page, 4))).toContain('Not granted: offline_access.');
    expect(page.html.querySelector('form[action$="/refresh"]')).toBeNull();
  });

  it('calls userinfo, refreshes with rotation, and proves that a revoked token is dead', async () => {
    let page = await signIn({ api: 'playground' });
    page = await browser.submit(page, {}, '/userinfo');
    expect(code(page, 'userinfo-0')).toContain('"name": "Ada Lovelace"');

    const first = code(page, 'access-token');
    page = await browser.submit(page, {}, '/refresh');
    expect(code(page, 'access-token')).not.toBe(first);
    const changes = step(page, 6).querySelectorAll('.gh-param');
    const marks = changes.map((one) => text(one.querySelector('dt')));
    expect(marks).toEqual(expect.arrayContaining(['access_token New', 'refresh_token New', 'scope Same']));

    page = await browser.submit(page, { token: 'access_token' }, '/revoke');
    expect(text(step(page, 6))).toContain('userinfo refuses the access token');
    page = await browser.submit(page, {}, '/refresh');
    page = await browser.submit(page, { token: 'refresh_token' }, '/revoke');
    expect(text(step(page, 6))).toContain('the token endpoint refuses the refresh token');
    page = await browser.submit(page, {}, '/refresh');
    expect(text(page.html.querySelector('[role=alert]'))).toContain('invalid_grant');
  });

  it('shows that fewer scopes can be asked for at a refresh', async () => {
    let page = await signIn();
    page = await browser.submit(page, { scope: 'openid' }, '/refresh');
    expect(text(step(page, 6))).toContain('scope New Before openid profile email roles offline_access After openid');
    page = await browser.submit(page, {}, '/userinfo');
    expect(code(page, 'userinfo-0')).not.toContain('Ada Lovelace');
  });

  it('logs out at the provider and hands its tokens back', async () => {
    let page = await signIn({ api: 'playground' });
    const token = code(page, 'access-token');
    page = await browser.open(decodeEntities(linkIn(page, 7)));
    page = await browser.submit(page, { logout: 'yes' });
    expect(page.url.href).toBe(`${gatehouse.issuer}/playground`);
    expect(text(page.html.querySelector('[role=status]'))).toContain('You are signed out');
    expect(state(page)[0]).toBe('current');

    const userinfo = await fetch(`${gatehouse.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    expect(userinfo.status).toBe(401);
    page = await leave(await begin());
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
  });

  it('keeps its session when a made-up log-out answer comes', async () => {
    await signIn();
    const page = await browser.open('/playground?state=made-up');
    expect(state(page)[5]).toBe('current');
  });

  it('starts over with the same choices and a new session', async () => {
    let page = await signIn({ prompt: 'login', resource: 'urn:x' });
    const cookie = async () =>
      (await browser.jar.getCookies(gatehouse.issuer)).find(({ key }) => key === COOKIE)?.value;
    const before = await cookie();
    page = await browser.submit(page, {}, '/start-over');
    expect(state(page)[0]).toBe('current');
    expect(page.html.querySelector('#prompt option[selected]')?.getAttribute('value')).toBe('login');
    expect(page.html.querySelector('#resource')?.getAttribute('value')).toBe('urn:x');
    expect(await cookie()).not.toBe(before);
  });

  it('refuses an answer with a forged state and forgets nothing for it', async () => {
    await signIn();
    const refused = await browser.open(`/playground/callback?code=abc&state=forged&iss=${gatehouse.issuer}`);
    expect(refused.status).toBe(400);
    expect(text(refused.html)).toContain('The app refused this answer');
    expect(text(refused.html)).not.toContain('abc');
    expect(state(await browser.open('/playground'))[5]).toBe('current');
    for (const query of ['', '?state=__proto__', '?state=a&state=b'])
      expect((await browser.open(`/playground/callback${query}`)).status).toBe(400);
  });

  it('refuses an answer that names another issuer (RFC 9207)', async () => {
    const url = new URL(decodeEntities(linkIn(await begin(), 2)));
    const answer = new URLSearchParams({
      code: 'abc',
      state: url.searchParams.get('state')!,
      iss: 'https://evil.example',
    });
    const page = await browser.open(`/playground/callback?${answer.toString()}`);
    expect(state(page)[3]).toBe('current');
    expect(step(page, 3).querySelectorAll('[data-mark=danger]')).toHaveLength(1);
    expect(gatehouse.logged.some(({ path }) => path === '/token')).toBe(false);
  });

  it('explains in plain words that the person cancelled', async () => {
    const { email, password } = await gatehouse.person();
    const consent = await browser.submit(await leave(await begin()), { email, password });
    let page = await browser.submit(consent, { decision: 'deny' });
    expect(state(page)[2]).toBe('current');
    expect(text(page.html.querySelector('[role=alert]'))).toContain('You cancelled');
    page = await browser.submit(page, {}, '/start-over');
    expect(state(page)[0]).toBe('current');
  });

  it.each([
    [{ prompt: 'none' }, 'login_required', 'nobody is signed in'],
    [{ api: 'other', resource: 'urn:unknown' }, 'invalid_target', 'No API is registered'],
  ])('explains the error of a request with %o', async (choices, error, words) => {
    const page = await leave(await begin(choices));
    expect(text(page.html.querySelector('[role=alert]'))).toContain(words);
    expect(text(page.html.querySelector('[role=alert]'))).toContain(error);
  });

  it('works without openid: no ID token, and userinfo says why not', async () => {
    let page = await begin({ scope: 'email' });
    expect(linkIn(page, 2)).not.toContain('nonce');
    const { email, password } = await gatehouse.person();
    page = await browser.submit(await leave(page), { email, password });
    if (page.html.querySelector('button[name=decision]')) page = await browser.submit(page, { decision: 'allow' });
    expect(state(page)[5]).toBe('current');
    page = await browser.submit(page, {}, '/userinfo');
    expect(text(page.html.querySelector('[role=alert]'))).toContain('insufficient_scope');
  });

  it('lets two tabs sign in without disturbing each other', async () => {
    const forms = [await browser.open('/playground'), await browser.open('/playground')];
    const [one, other] = [await browser.submit(forms[0]!, {}, '/begin'), await browser.submit(forms[1]!, {}, '/begin')];
    const { email, password } = await gatehouse.person();
    let page = await browser.submit(await leave(one), { email, password });
    page = await browser.submit(page, { decision: 'allow' });
    expect(state(page)[5]).toBe('current');
    page = await leave(other);
    expect(state(page)[5]).toBe('current');
  });

  it('a reloaded answer shows the same page and redeems nothing twice', async () => {
    const page = await begin();
    const { email, password } = await gatehouse.person();
    const consent = await browser.submit(await leave(page), { email, password });
    const done = await browser.submit(consent, { decision: 'allow' });
    const answer = step(done, 3)
      .querySelectorAll('.gh-param')
      .filter((one) => ['code', 'state', 'iss'].includes(text(one.querySelector('dt'))))
      .map((one) => [text(one.querySelector('dt')), text(one.querySelector('.gh-param__value'))]);
    const again = await browser.open(
      `/playground/callback?${new URLSearchParams(answer as [string, string][]).toString()}`,
    );
    expect(state(again)).toEqual(state(done));
    expect(text((await browser.submit(again, {}, '/userinfo')).html)).toContain('Ada Lovelace');
  });

  it('begins anew, and says so, when its hour is over', async () => {
    const page = await signIn();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_700_000 });
    const lost = await browser.submit(page, {}, '/userinfo');
    expect(text(lost.html.querySelector('[role=status]'))).toContain('remembers a sign-in for one hour only');
    expect(state(lost)[0]).toBe('current');
  });

  it('takes no form from another site', async () => {
    for (const path of ['begin', 'userinfo', 'refresh', 'revoke', 'start-over']) {
      const response = await browser.request(`/playground/${path}`, { method: 'POST', body: new URLSearchParams() });
      expect(response.status).toBe(403);
    }
  });

  it('never logs a token or a code', async () => {
    const page = await signIn({ api: 'playground' });
    await browser.submit(page, {}, '/refresh');
    expect(JSON.stringify(gatehouse.logged)).not.toMatch(/eyJ|code=/);
  });
});

const COOKIE = 'gatehouse_playground';
