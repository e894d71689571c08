/** What an app's request and an operator's settings change about signing in with an upstream. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/kernel/ids.ts';
import { Browser } from '../../support/browser.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, backToNow, begin, heading, passTime } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../../support/upstream-servers.ts';
import type { OpenidServer } from '../../support/upstream-servers.ts';
import { comeBackTo, goTo, hasButton, press, startWithUpstreams } from '../../support/upstream.ts';

let upstream: OpenidServer;
let gatehouse: Running;
let rp: RelyingParty;
let browser: Browser;

afterEach(backToNow);
beforeAll(async () => {
  upstream = await startOpenidServer();
  const settings = { type: 'oidc', ...CLIENT, issuer: upstream.issuer };
  gatehouse = await startWithUpstreams({
    zulu: { ...settings, display_name: 'Zulu' },
    google: { ...CLIENT, issuer: upstream.issuer },
    trusted: { ...settings, trust_amr: true, refresh: ['email'] },
    closed: { ...settings, create_accounts: false, refresh: [] },
  });
  rp = await relyingParty(gatehouse, await gatehouse.app());
});
afterAll(async () => {
  await gatehouse.stop();
  await upstream.stop();
});
beforeEach(() => {
  browser = new Browser(gatehouse.issuer);
});

const now = () => Math.floor(Date.now() / 1000);
const person = (more: Record<string, unknown> = {}) => {
  const sub = newId();
  return { sub, email: `${sub}@example.com`, email_verified: true, name: 'Ada', ...more };
};
async function signIn(provider: string, claims: Record<string, unknown>, parameters: Record<string, string> = {}) {
  const { away, checks } = await goTo(rp, browser, provider, parameters);
  return comeBackTo(rp, browser, upstream.approve(away, claims), checks);
}

describe('the buttons', () => {
  it('stand in the order of the configuration, on the pages to sign in and to sign up', async () => {
    const page = await begin(rp, browser);
    const names = (html: typeof page.html) =>
      html.querySelectorAll('button.gh-provider').map((button) => button.text.replace(/\s+/g, ' ').trim());
    const expected = [
      'Z Continue with Zulu',
      'Continue with Google',
      'T Continue with Trusted',
      'C Continue with Closed',
    ];
    expect(names(page.html)).toEqual(expected);
    const signUp = await browser.open(`${page.url.pathname}/sign-up`);
    expect(names(signUp.html)).toEqual(expected);
  });

  it('are those that the app allows', async () => {
    const only = await relyingParty(gatehouse, await gatehouse.app({ identity_providers: ['google'] }));
    const page = await begin(only, browser);
    expect([hasButton(page, 'google'), hasButton(page, 'zulu')]).toEqual([true, false]);
  });

  it('cannot be registered under a name that is not configured', async () => {
    await expect(gatehouse.app({ identity_providers: ['gogle'] })).rejects.toMatchObject({
      field: 'identity_providers',
      message: 'no upstream provider is called gogle; there are zulu, google, trusted, closed',
    });
  });

  it('of a provider that the app stopped allowing while the person was there lead back', async () => {
    const app = await gatehouse.app();
    const own = await relyingParty(gatehouse, app);
    const { away } = await goTo(own, browser, 'zulu');
    const client = await gatehouse.storage.clients.find(app.client_id);
    await gatehouse.storage.clients.update({ ...client!, identity_providers: ['google'] });
    passTime(2); // a client is held for one second
    const page = await browser.open(upstream.approve(away, person()));
    expect([page.status, alertText(page)]).toEqual([502, expect.stringContaining('did not work') as string]);
  });
});

describe('idp_hint', () => {
  it('leads straight to the provider, and to the page when the person comes back without an identity', async () => {
    const { url, checks } = await rp.request({ idp_hint: 'google', login_hint: 'ada@example.com' });
    const away = await browser.open(url);
    expect(away.url.href.startsWith(`${upstream.issuer}/authorize`)).toBe(true);
    expect(away.url.searchParams.get('login_hint')).toBe('ada@example.com');
    const page = await browser.open(upstream.refuse(away.url, 'access_denied'));
    expect(page.text).toContain('You did not sign in with Google');
    expect((await browser.open(page.url)).status).toBe(200);
    const again = await press(browser, page, 'google');
    expect((await comeBackTo(rp, browser, upstream.approve(again, person()), checks))['name']).toBe('Ada');
  });

  it('is not followed twice: who goes back finds the page', async () => {
    const { url } = await rp.request({ idp_hint: 'google' });
    const away = await browser.open(url);
    expect(away.status).toBe(0);
    const uid = (await browser.jar.getCookies(`${gatehouse.issuer}/`, { allPaths: true }))
      .map((cookie) => /^\/interaction\/(.+)$/.exec(cookie.path ?? '')?.[1])
      .find(Boolean);
    expect(heading(await browser.open(`/interaction/${uid}`))).toContain('Sign in to');
  });

  it.each(['nobody', '', '../x', 'closed,google'])('%j that is no provider is ignored', async (idp_hint) => {
    expect(heading(await begin(rp, browser, { idp_hint }))).toContain('Sign in to');
  });

  it('of a provider that the app does not allow is ignored', async () => {
    const only = await relyingParty(gatehouse, await gatehouse.app({ identity_providers: ['zulu'] }));
    expect(heading(await begin(only, browser, { idp_hint: 'google' }))).toContain('Sign in to');
  });

  it('is not followed where somebody is signed in, nor with prompt=none', async () => {
    const ada = person();
    const first = await signIn('zulu', ada);
    const { url, checks } = await rp.request({ idp_hint: 'google' });
    const { url: done } = await browser.open(url);
    expect((await rp.redeem(done, checks)).claims()?.sub).toBe(first.sub);
    const none = await new Browser(gatehouse.issuer).open(
      (await rp.request({ idp_hint: 'google', prompt: 'none' })).url,
    );
    expect(none.url.searchParams.get('error')).toBe('login_required');
  });

  it('leads to the page where the provider is down', async () => {
    upstream.broken['discovery'] = { status: 500 };
    const lonely = await startWithUpstreams({ google: { ...CLIENT, issuer: upstream.issuer } });
    const own = await relyingParty(lonely, await lonely.app());
    const page = await begin(own, new Browser(lonely.issuer), { idp_hint: 'google' });
    expect([page.status, alertText(page)]).toEqual([502, expect.stringContaining('does not answer') as string]);
    delete upstream.broken['discovery'];
    await lonely.stop();
  });
});

describe('how the person signed in there', () => {
  it('is passed on only where the configuration trusts the provider with it', async () => {
    const said = { amr: ['pwd', 'otp', 7, 'x'.repeat(200)], acr: 'urn:acme:gold' };
    const untrusted = await signIn('zulu', person(said));
    expect([untrusted['amr'], untrusted['acr']]).toEqual([undefined, undefined]);
    browser = new Browser(gatehouse.issuer);
    const trusted = await signIn('trusted', person(said));
    expect([trusted['amr'], trusted['acr']]).toEqual([['pwd', 'otp'], 'urn:acme:gold']);
  });

  it('is ours where the account was proved here as well', async () => {
    const local = await gatehouse.person();
    const { away, checks } = await goTo(rp, browser, 'zulu');
    const page = await browser.open(upstream.approve(away, person({ email: local.email, acr: 'x' })));
    const consent = await browser.submit(page, { password: local.password });
    const done = await browser.submit(consent, { decision: 'allow' });
    const claims = (await rp.redeem(done.url, checks)).claims()!;
    expect(claims).toMatchObject({ sub: local.sub, amr: ['pwd'], acr: 'urn:gatehouse:acr:1' });
  });

  it('tells the time of the sign-in there', async () => {
    const auth_time = now() - 5000;
    expect(await signIn('zulu', person({ auth_time }))).toMatchObject({ auth_time });
    browser = new Browser(gatehouse.issuer);
    expect((await signIn('zulu', person({ auth_time: now() + 5000 })))['auth_time']).toBeLessThanOrEqual(now());
  });
});

describe('a request that wants the person to prove again who they are', () => {
  it('asks the provider to do so, and looks whether it did', async () => {
    const ada = person();
    for (const [parameters, sent] of [
      [{ prompt: 'login' }, { prompt: 'login', max_age: '0' }],
      [{ max_age: '600' }, { max_age: '600' }],
    ] as const) {
      browser = new Browser(gatehouse.issuer);
      const { away, checks } = await goTo(rp, browser, 'zulu', parameters);
      expect(Object.fromEntries(away.searchParams)).toMatchObject(sent);
      const claims = await comeBackTo(rp, browser, upstream.approve(away, { ...ada, auth_time: now() }), checks);
      expect(claims['auth_time']).toBeGreaterThan(now() - 60);
    }
  });

  it.each([
    [{ prompt: 'login' }, 'an old sign-in', () => ({ auth_time: now() - 3600 })],
    [{ max_age: '600' }, 'a sign-in that is too old', () => ({ auth_time: now() - 3600 })],
    [{ prompt: 'login' }, 'no word about it', () => ({})],
    [{ max_age: '600' }, 'no word about it', () => ({})],
  ])('(%j) is not met by %s', async (parameters: Record<string, string>, _what, said) => {
    const { away } = await goTo(rp, browser, 'zulu', parameters);
    const page = await browser.open(upstream.approve(away, person(said())));
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining('did not ask you again') as string]);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
  });

  it('does what Google can: the account is chosen anew', async () => {
    const { away } = await goTo(rp, browser, 'google', { prompt: 'login' });
    expect(away.searchParams.get('prompt')).toBe('select_account');
  });

  it('lets the person choose with prompt=select_account', async () => {
    const { away } = await goTo(rp, browser, 'zulu', { prompt: 'select_account' });
    expect(away.searchParams.get('prompt')).toBe('select_account');
  });
});

describe('what the operator sets', () => {
  it('decides whether new people get an account', async () => {
    const { away } = await goTo(rp, browser, 'closed');
    const page = await browser.open(upstream.approve(away, person()));
    expect([page.status, alertText(page)]).toEqual([
      403,
      expect.stringContaining('There is no account here') as string,
    ]);
    const local = await gatehouse.person();
    const again = await press(browser, page, 'closed');
    expect(heading(await browser.open(upstream.approve(again, person({ email: local.email }))))).toContain('Connect');
  });

  it('decides what is taken over later: here the e-mail, where it is verified and free', async () => {
    const ada = person();
    const taken = await gatehouse.person();
    const first = await signIn('trusted', ada);
    const later = async (more: Record<string, unknown>) => {
      browser = new Browser(gatehouse.issuer);
      return signIn('trusted', { ...ada, name: 'Another Name', ...more });
    };
    expect(await later({ email: `new-${ada.email}` })).toMatchObject({
      sub: first.sub,
      name: 'Ada',
      email: `new-${ada.email}`,
    });
    expect(await later({ email: taken.email })).toMatchObject({ sub: first.sub, email: `new-${ada.email}` });
    expect(await later({ email: 'x@example.com', email_verified: false })).toMatchObject({ email: `new-${ada.email}` });
  });

  it('ends with a suspension', async () => {
    const ada = person();
    const { sub } = await signIn('zulu', ada);
    await gatehouse.access.suspend(sub);
    browser = new Browser(gatehouse.issuer);
    const { away } = await goTo(rp, browser, 'zulu');
    const page = await browser.open(upstream.approve(away, ada));
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining('cannot be used') as string]);
  });
});
