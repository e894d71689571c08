import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, beginConsent, enterPassword, fieldValue, heading } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const textOf = (page: Page, selector: string) =>
  page.html.querySelectorAll(selector).map((element) => element.text.replaceAll(/\s+/g, ' ').trim());
const asked = (page: Page) => textOf(page, 'form > .gh-items > .gh-item');
const known = (page: Page) => textOf(page, 'details .gh-item');

describe('consent', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    rp = await relyingParty(gatehouse, await gatehouse.app());
    person = await gatehouse.person({ roles: ['editor'] });
    browser = new Browser(gatehouse.issuer);
  });

  const tokensFor = async (parameters: Record<string, string> = {}) => {
    const { callback, checks } = await authorize(rp, person, parameters, browser);
    return rp.redeem(callback, checks);
  };
  const decide = (page: Page, decision: string) => browser.submit(page, { decision });

  it('shows the real values that the app will see', async () => {
    const page = await beginConsent(rp, browser, person, { scope: 'openid profile email roles' });
    expect(heading(page)).toBe('Acme Notes wants access');
    expect(asked(page)).toEqual([
      'Your name and picture Ada Lovelace',
      `Your e-mail ${person.email}, verified`,
      'Your roles editor',
    ]);
  });

  it('warns when the app was never used before', async () => {
    const page = await beginConsent(rp, browser, person);
    expect(page.html.querySelector('.gh-callout')?.text).toContain('app.example');
  });

  it('is remembered: the second sign-in does not ask', async () => {
    await tokensFor();
    const page = await begin(rp, browser);
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('is remembered beyond log-out, on another device', async () => {
    await tokensFor();
    const elsewhere = new Browser(gatehouse.issuer);
    const page = await enterPassword(elsewhere, await begin(rp, elsewhere), person);
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('asks again where the app says prompt=consent', async () => {
    await tokensFor();
    const page = await begin(rp, browser, { prompt: 'consent' });
    expect(heading(page)).toBe('Acme Notes wants access');
    expect(asked(page)).toEqual([]);
    expect(known(page)).toHaveLength(2);
  });

  it('is missed by prompt=none: the app hears consent_required or interaction_required', async () => {
    await tokensFor({ scope: 'openid' });
    const page = await begin(rp, browser, { scope: 'openid email', prompt: 'none' });
    expect(page.url.searchParams.get('error')).toMatch(/^(consent|interaction)_required$/);
  });

  it('asks next time only for what is new', async () => {
    await tokensFor({ scope: 'openid profile' });
    const page = await begin(rp, browser, { scope: 'openid profile email' });
    expect(heading(page)).toBe('Acme Notes wants more access');
    expect(asked(page)).toEqual([`Your e-mail New ${person.email}, verified`]);
    expect(known(page)).toEqual(['Your name and picture Ada Lovelace']);
  });

  it('gives old and new together once the new is allowed', async () => {
    await tokensFor({ scope: 'openid profile' });
    expect((await tokensFor({ scope: 'openid profile email' })).claims()).toMatchObject({
      name: 'Ada Lovelace',
      email: person.email,
    });
  });

  it('to a narrower second request gives fewer claims', async () => {
    await tokensFor({ scope: 'openid profile email roles' });
    const tokens = await tokensFor({ scope: 'openid email' });
    expect(tokens.scope).toBe('openid email');
    expect(tokens.claims()).not.toHaveProperty('name');
    expect((await userinfo(gatehouse, tokens.access_token)).body).toEqual({
      sub: person.sub,
      email: person.email,
      email_verified: true,
    });
  });

  it('to a narrower second request does not narrow the tokens of the first', async () => {
    const first = await tokensFor({ scope: 'openid profile email' });
    await tokensFor({ scope: 'openid' });
    expect((await userinfo(gatehouse, first.access_token)).body).toMatchObject({ name: 'Ada Lovelace' });
  });

  describe('with an optional scope unticked', () => {
    const scope = 'openid email offline_access';
    const untick = async () => {
      const { url, checks } = await rp.request({ scope });
      const consentPage = await enterPassword(browser, await browser.open(url), person);
      const page = await browser.submit(consentPage, { decision: 'allow', scope: undefined });
      return rp.redeem(page.url, checks);
    };

    it('gives the rest', async () => {
      const tokens = await untick();
      expect(tokens.refresh_token).toBeUndefined();
      expect(tokens.scope).toBe('openid email');
    });

    it('does not ask again and still does not give it', async () => {
      await untick();
      const { url, checks } = await rp.request({ scope });
      const page = await browser.open(url);
      expect(page.status).toBe(0);
      expect((await rp.redeem(page.url, checks)).refresh_token).toBeUndefined();
    });

    it('shows it unticked when asked for more, and a tick then gives it', async () => {
      await untick();
      const { url, checks } = await rp.request({ scope: `${scope} profile` });
      const page = await browser.open(url);
      expect(page.html.querySelector('input[value=offline_access]')?.hasAttribute('checked')).toBe(false);
      const done = await browser.submit(page, { decision: 'allow', scope: 'offline_access' });
      expect((await rp.redeem(done.url, checks)).refresh_token).toBeTypeOf('string');
    });
  });

  it('cannot be widened by a form that names scopes nobody asked for', async () => {
    const { url, checks } = await rp.request({ scope: 'openid' });
    const page = await enterPassword(browser, await browser.open(url), person);
    const done = await browser.open(page.html.querySelectorAll('form')[1]!.getAttribute('action')!, {
      method: 'POST',
      body: new URLSearchParams([
        ['_csrf', fieldValue(page, '_csrf')],
        ['decision', 'allow'],
        ...['email', 'roles', 'offline_access'].map((name) => ['scope', name] as [string, string]),
      ]),
    });
    expect((await rp.redeem(done.url, checks)).scope).toBe('openid');
  });

  it('cancelled tells the app access_denied, with state and issuer, and remembers nothing', async () => {
    const { url, checks } = await rp.request();
    const page = await decide(await enterPassword(browser, await browser.open(url), person), 'deny');
    expect(Object.fromEntries(page.url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: checks.expectedState,
      iss: gatehouse.issuer,
    });
    expect(heading(await begin(rp, browser))).toBe('Acme Notes wants access');
  });

  it('can be cancelled before signing in', async () => {
    const page = await browser.submit(await begin(rp, browser), {}, '/cancel');
    expect(page.url.searchParams.get('error')).toBe('access_denied');
  });

  it('without a pressed button gives nothing', async () => {
    const page = await beginConsent(rp, browser, person);
    const done = await browser.submit(page, { decision: undefined }, '/consent');
    expect(done.url.searchParams.get('error')).toBe('access_denied');
  });

  it('is skipped for a first-party app', async () => {
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const page = await enterPassword(browser, await begin(rp, browser), person);
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('is skipped for a first-party app that says prompt=consent', async () => {
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const page = await enterPassword(browser, await begin(rp, browser, { prompt: 'consent' }), person);
    expect(page.url.searchParams.get('code')).toBeTruthy();
  });

  it('withdrawn is asked again', async () => {
    await tokensFor();
    await gatehouse.storage.consents.delete(person.sub, rp.app.client_id);
    expect(heading(await begin(rp, browser))).toBe('Acme Notes wants access');
  });

  it('is asked each time of a native app, which anybody on the device could imitate', async () => {
    rp = await relyingParty(
      gatehouse,
      await gatehouse.app({ type: 'native', redirect_uris: ['com.example.app:/callback'] }),
    );
    await beginConsent(rp, browser, person).then((page) => decide(page, 'allow'));
    expect(heading(await begin(rp, browser))).toBe('Acme Notes wants access');
    const silent = await begin(rp, browser, { prompt: 'none' });
    expect(silent.url.searchParams.get('error')).toBe('interaction_required');
  });

  it('for an API names the API and its scopes', async () => {
    const api = await gatehouse.app({ type: 'api', name: 'Notes API', scope: 'notes:read notes:write' });
    const page = await beginConsent(rp, browser, person, { scope: 'openid notes:read', resource: api.resource! });
    expect(asked(page)).toContain('Access to Notes API notes:read');
  });

  describe('switching to another account', () => {
    it('begins with an empty form that does not ask for a confirmation', async () => {
      const page = await browser.submit(await beginConsent(rp, browser, person), {}, '/switch');
      expect(heading(page)).toBe('Sign in to Acme Notes');
      expect(fieldValue(page, 'email')).toBe('');
    });

    it('ends with the tokens of the other', async () => {
      const other = await gatehouse.person({ name: 'Grace Hopper' });
      const { url, checks } = await rp.request();
      const first = await enterPassword(browser, await browser.open(url), person);
      const second = await enterPassword(browser, await browser.submit(first, {}, '/switch'), other);
      expect(second.text).toContain(other.email);
      const page = await decide(second, 'allow');
      expect((await rp.redeem(page.url, checks)).claims()!.sub).toBe(other.sub);
    });

    it('ends the session of the first', async () => {
      const page = await beginConsent(rp, browser, person);
      const cookies = await browser.jar.getCookieString(gatehouse.issuer);
      await enterPassword(browser, await browser.submit(page, {}, '/switch'), await gatehouse.person());
      const old = await fetch((await rp.request({ prompt: 'none' })).url, {
        headers: { cookie: cookies },
        redirect: 'manual',
      });
      expect(old.headers.get('location')).toContain('error=login_required');
    });

    it('to the same account goes on to consent', async () => {
      const page = await browser.submit(await beginConsent(rp, browser, person), {}, '/switch');
      expect(heading(await enterPassword(browser, page, person))).toBe('Acme Notes wants access');
    });

    it('keeps the offer to create an account', async () => {
      const page = await browser.submit(await beginConsent(rp, browser, person), {}, '/switch');
      expect(page.text).toContain('/sign-up');
    });

    it('says that a wrong password was wrong, still for another account', async () => {
      const page = await browser.submit(await beginConsent(rp, browser, person), {}, '/switch');
      const again = await enterPassword(browser, page, { email: 'who@example.com', password: 'not the password' });
      expect(again.status).toBe(401);
      expect(fieldValue(again, 'email')).toBe('who@example.com');
      expect(heading(again)).toBe('Sign in to Acme Notes');
    });
  });
});
