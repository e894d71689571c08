import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  authorize,
  backToNow,
  begin,
  browserFor,
  enterPassword,
  fieldValue,
  heading,
  passTime,
} from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a session', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  const signedIn = async (who = person) => {
    browser = new Browser(gatehouse.issuer);
    return authorize(rp, who, {}, browser);
  };
  const sessionCookie = async () =>
    (await browser.jar.getCookies(gatehouse.issuer)).find(({ key }) => key.endsWith('gatehouse_session'));
  const at = async (parameters: Record<string, string>) => begin(rp, browser, parameters);

  it('lets a second app in without a password', async () => {
    await signedIn();
    const second = await relyingParty(gatehouse, await gatehouse.app({ first_party: true, name: 'Second' }));
    const page = await begin(second, browser);
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('gets another cookie value at every sign-in', async () => {
    await signedIn();
    const before = await sessionCookie();
    await enterPassword(browser, await at({ prompt: 'login' }), person);
    const after = await sessionCookie();
    expect(after!.value).not.toBe(before!.value);
  });

  it('has no cookie before anybody signed in', async () => {
    browser = new Browser(gatehouse.issuer);
    await at({});
    expect(await sessionCookie()).toBeUndefined();
  });

  it('rests in a cookie that scripts and other sites do not get', async () => {
    await signedIn();
    expect(await sessionCookie()).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/' });
  });

  it('is missed by prompt=none: the app hears login_required, with state and issuer', async () => {
    browser = new Browser(gatehouse.issuer);
    const page = await at({ prompt: 'none', state: 'the-state' });
    expect(Object.fromEntries(page.url.searchParams)).toMatchObject({
      error: 'login_required',
      state: 'the-state',
      iss: gatehouse.issuer,
    });
  });

  it('answers prompt=none with a code', async () => {
    await signedIn();
    expect((await at({ prompt: 'none' })).url.searchParams.get('code')).toBeTruthy();
  });

  it('is not enough for prompt=login, which asks for the password of who is signed in', async () => {
    await signedIn();
    const page = await at({ prompt: 'login' });
    expect(heading(page)).toBe('Confirm it is you');
    expect(fieldValue(page, 'email')).toBe(person.email);
  });

  it('gets a new auth_time at prompt=login', async () => {
    const first = await signedIn();
    const before = decodeJwt((await rp.redeem(first.callback, first.checks)).id_token!)['auth_time'] as number;
    passTime(120);
    const second = await authorize(rp, person, { prompt: 'login' }, browser);
    const after = decodeJwt((await rp.redeem(second.callback, second.checks)).id_token!)['auth_time'] as number;
    expect(after - before).toBeGreaterThanOrEqual(120);
  });

  it('younger than max_age is enough, older is not', async () => {
    await signedIn();
    passTime(100);
    expect((await at({ max_age: '300' })).url.searchParams.get('code')).toBeTruthy();
    expect(heading(await at({ max_age: '60' }))).toBe('Confirm it is you');
  });

  it('older than max_age, with prompt=none, is login_required', async () => {
    await signedIn();
    passTime(100);
    expect((await at({ max_age: '60', prompt: 'none' })).url.searchParams.get('error')).toBe('login_required');
  });

  it('ends after a day without use, and lasts with use', async () => {
    await signedIn();
    passTime(80_000);
    expect((await at({ prompt: 'none' })).url.searchParams.get('code')).toBeTruthy();
    passTime(80_000);
    expect((await at({ prompt: 'none' })).url.searchParams.get('code')).toBeTruthy();
    passTime(86_401);
    expect((await at({ prompt: 'none' })).url.searchParams.get('error')).toBe('login_required');
  });

  it('begins with the e-mail of login_hint', async () => {
    browser = new Browser(gatehouse.issuer);
    expect(fieldValue(await at({ login_hint: 'grace@example.com' }), 'email')).toBe('grace@example.com');
  });

  it('of the person in id_token_hint is enough', async () => {
    const { callback, checks } = await signedIn();
    const { id_token } = await rp.redeem(callback, checks);
    const page = await at({ id_token_hint: id_token!, prompt: 'none' });
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('of somebody other than id_token_hint names is login_required', async () => {
    const { callback, checks } = await signedIn();
    const { id_token } = await rp.redeem(callback, checks);
    await signedIn(await gatehouse.person());
    expect((await at({ id_token_hint: id_token!, prompt: 'none' })).url.searchParams.get('error')).toBe(
      'login_required',
    );
  });

  it('of somebody other than id_token_hint names gives way to who signs in now', async () => {
    const { callback, checks } = await signedIn();
    const { id_token } = await rp.redeem(callback, checks);
    await signedIn(await gatehouse.person());
    const again = await rp.request({ id_token_hint: id_token! });
    const page = await enterPassword(browser, await browser.open(again.url), person);
    expect((await rp.redeem(page.url, again.checks)).claims()!.sub).toBe(person.sub);
  });

  it('older than max_age gives way to another person who signs in instead', async () => {
    await signedIn();
    passTime(100);
    const page = await enterPassword(browser, await at({ max_age: '60' }), await gatehouse.person());
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('gives way to another person who signs in at prompt=login, and its tokens end', async () => {
    const first = await signedIn();
    const tokens = await rp.redeem(first.callback, first.checks);
    const other = await gatehouse.person();
    const again = await rp.request({ prompt: 'login' });
    const page = await enterPassword(browser, await browser.open(again.url), other);
    expect((await rp.redeem(page.url, again.checks)).claims()!.sub).toBe(other.sub);
    expect((await userinfo(gatehouse, tokens.access_token)).status).toBe(401);
  });

  it('tells acr, amr and auth_time where acr_values are asked for', async () => {
    const { callback, checks } = await authorize(rp, person, { acr_values: 'urn:gatehouse:acr:1' });
    expect((await rp.redeem(callback, checks)).claims()).toMatchObject({
      acr: 'urn:gatehouse:acr:1',
      amr: ['pwd'],
      auth_time: expect.any(Number) as number,
    });
  });

  it('is not refused for acr_values that nobody knows: they are voluntary', async () => {
    await signedIn();
    expect((await at({ acr_values: 'urn:unheard:of', prompt: 'none' })).url.searchParams.get('code')).toBeTruthy();
  });

  it('begins in a known language whatever ui_locales asks for', async () => {
    browser = new Browser(gatehouse.issuer);
    const page = await at({ ui_locales: 'tlh en-GB __proto__' });
    expect(page.headers.get('content-language')).toBe('en');
    expect(heading(page)).toBe('Sign in to Acme Notes');
  });

  it('is not begun by an account without a password', async () => {
    const account = await gatehouse.accounts.create({ email: 'no-password@example.com', name: 'No Password' });
    browser = new Browser(gatehouse.issuer);
    const page = await enterPassword(browser, await at({}), { email: account.email, password: 'anything at all' });
    expect(page.status).toBe(401);
  });
});

describe('an authorization request', () => {
  let gatehouse: Running;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());

  it('may be sent by POST', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const person = await gatehouse.person();
    const { url, checks } = await rp.request();
    const browser = browserFor(rp);
    const page = await browser.open('/auth', { method: 'POST', body: url.searchParams });
    expect(heading(page)).toBe('Sign in to Acme Notes');
    const done = await browser.submit(await enterPassword(browser, page, person), { decision: 'allow' });
    expect((await rp.redeem(done.url, checks)).claims()!.sub).toBe(person.sub);
  });

  it('sent by POST with a parameter twice is refused', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const { url } = await rp.request();
    url.searchParams.append('nonce', 'another');
    const page = await browserFor(rp).open('/auth', { method: 'POST', body: url.searchParams });
    expect(page.url.searchParams.get('error')).toBe('invalid_request');
  });

  it('with prompt=select_account lets a signed-in person be somebody else', async () => {
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const [first, second] = [await gatehouse.person(), await gatehouse.person()];
    const browser = browserFor(rp);
    await authorize(rp, first, {}, browser);
    const { url, checks } = await rp.request({ prompt: 'select_account' });
    const page = await browser.open(url);
    expect([heading(page), fieldValue(page, 'email')]).toEqual(['Sign in to Acme Notes', '']);
    const done = await browser.submit(await enterPassword(browser, page, second), { decision: 'allow' });
    expect((await rp.redeem(done.url, checks)).claims()!.sub).toBe(second.sub);
  });
});
