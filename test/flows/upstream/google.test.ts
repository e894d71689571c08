/** Google's connector against a provider of Google's shape. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/kernel/ids.ts';
import { Browser } from '../../support/browser.ts';
import type { Page } from '../../support/browser.ts';
import { startGatehouse } from '../../support/gatehouse.ts';
import type { Running } from '../../support/gatehouse.ts';
import { alertText, atOnce, backToNow, passTime } from '../../support/journey.ts';
import { relyingParty } from '../../support/relying-party.ts';
import type { RelyingParty } from '../../support/relying-party.ts';
import { CLIENT, startOpenidServer } from '../../support/upstream-servers.ts';
import type { OpenidServer } from '../../support/upstream-servers.ts';
import { comeBackTo, goTo, hasButton, startWithUpstreams } from '../../support/upstream.ts';

let google: OpenidServer;
let gatehouse: Running;
let rp: RelyingParty;
let browser: Browser;

const METADATA = {
  scopes_supported: ['openid', 'email', 'profile'],
  revocation_endpoint: 'https://oauth2.googleapis.com/revoke',
};

beforeAll(async () => {
  google = await startOpenidServer({ metadata: METADATA });
  gatehouse = await startGatehouse({
    GATEHOUSE_FEDERATION_GOOGLE_CLIENT_ID: CLIENT.client_id,
    GATEHOUSE_FEDERATION_GOOGLE_CLIENT_SECRET: CLIENT.client_secret,
    GATEHOUSE_FEDERATION_GOOGLE_ISSUER: google.issuer,
  });
  rp = await relyingParty(gatehouse, await gatehouse.app());
});
afterAll(async () => {
  await gatehouse.stop();
  await google.stop();
});
beforeEach(() => {
  browser = new Browser(gatehouse.issuer);
  google.tamper = (claims) => claims;
  for (const name of Object.keys(google.broken)) delete google.broken[name];
});

const person = (more: Record<string, unknown> = {}) => {
  const sub = newId();
  return {
    sub,
    email: `${sub}@gmail.com`,
    email_verified: true,
    name: 'Ada Lovelace',
    picture: 'https://lh3.example/a',
    ...more,
  };
};

async function answered(claims: Record<string, unknown>): Promise<Page> {
  const { away } = await goTo(rp, browser, 'google');
  return browser.open(google.approve(away, claims));
}

describe('Google', () => {
  it('is asked with code, PKCE, state and nonce', async () => {
    const { away } = await goTo(rp, browser, 'google', { login_hint: 'ada@gmail.com' });
    const asked = Object.fromEntries(away.searchParams);
    expect(away.origin + away.pathname).toBe(`${google.issuer}/authorize`);
    expect(asked).toMatchObject({
      client_id: CLIENT.client_id,
      response_type: 'code',
      redirect_uri: `${gatehouse.issuer}/federation/google/callback`,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      login_hint: 'ada@gmail.com',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked[name]!.length).toBeGreaterThan(30);
    expect(asked['prompt']).toBeUndefined();
  });

  it('makes an account with e-mail, name and picture at the first sign-in, and finds it at the next', async () => {
    const ada = person();
    const { away, checks } = await goTo(rp, browser, 'google');
    const first = await comeBackTo(rp, browser, google.approve(away, ada), checks);
    expect(first).toMatchObject({ email: ada.email, email_verified: true, name: ada.name, picture: ada.picture });
    browser = new Browser(gatehouse.issuer);
    const again = await goTo(rp, browser, 'google');
    const changed = { ...ada, email: 'other@gmail.com', name: 'Ada King', picture: 'https://lh3.example/b' };
    const second = await comeBackTo(rp, browser, google.approve(again.away, changed), again.checks);
    expect(second.sub).toBe(first.sub);
    expect(second).toMatchObject({ email: ada.email, name: 'Ada King', picture: 'https://lh3.example/b' });
    expect(await gatehouse.linking.identitiesOf(first.sub)).toMatchObject([
      { provider: 'google', issuer: google.issuer, subject: ada.sub, email: 'other@gmail.com' },
    ]);
  });

  it('keeps one account of 15 first sign-ins at once', async () => {
    const ada = person();
    const callbacks = await atOnce(15, async () => {
      const own = new Browser(gatehouse.issuer);
      const { away } = await goTo(rp, own, 'google');
      return { own, callback: google.approve(away, ada) };
    });
    const pages = await Promise.all(callbacks.map(({ own, callback }) => own.open(callback)));
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([200]));
    const account = await gatehouse.accounts.findByEmail(ada.email);
    expect(await gatehouse.linking.identitiesOf(account!.id)).toHaveLength(1);
  });

  it.each([
    ['no e-mail', { email: undefined, email_verified: undefined }, 'did not tell us your e-mail'],
    ['an e-mail that is none', { email: 'nonsense' }, 'did not tell us your e-mail'],
    ['an unverified e-mail', { email_verified: false }, 'cannot say that your e-mail is really yours'],
    ['an e-mail verified in words only', { email_verified: 'true' }, 'cannot say that your e-mail is really yours'],
  ])('with %s makes no account and says why', async (_what, more, text) => {
    const ada = person(more);
    const page = await answered(ada);
    expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining(text) as string]);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
    expect(await gatehouse.accounts.findByEmail(`${ada.sub}@gmail.com`)).toBeUndefined();
  });

  it('cuts what is too long and shows HTML as text', async () => {
    const ada = person({ name: `<b>${'é'.repeat(300)}`.normalize('NFD'), picture: 'javascript:alert(1)' });
    const { away, checks } = await goTo(rp, browser, 'google');
    const claims = await comeBackTo(rp, browser, google.approve(away, ada), checks);
    expect(claims['name']).toBe(`<b>${'é'.repeat(197)}`);
    expect(claims['picture']).toBeUndefined();
  });

  it.each([
    ['a subject that is none', { sub: 7 }],
    ['a subject that is too long', { sub: 'x'.repeat(256) }],
    ['another nonce', { nonce: 'another' }],
    ['another audience', { aud: 'another' }],
    ['another issuer', { iss: 'https://accounts.google.com' }],
    ['an ID token that is over', { exp: 1 }],
  ])('is refused with %s', async (_what, more) => {
    google.tamper = (claims) => ({ ...claims, ...more });
    const page = await answered(person());
    expect([page.status, alertText(page)]).toEqual([502, expect.stringContaining('did not work') as string]);
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
  });

  it.each([
    ['access_denied', 200, 'You did not sign in with Google'],
    ['temporarily_unavailable', 502, 'Google does not answer'],
    ['admin_policy_enforced', 502, 'Signing in with Google did not work'],
  ])('that answers %s brings the person back to the sign-in page', async (error, status, text) => {
    const { away } = await goTo(rp, browser, 'google');
    const page = await browser.open(google.refuse(away, error));
    expect(page.status).toBe(status);
    expect(page.text).toContain(text);
    const local = await gatehouse.person();
    expect((await browser.submit(page, { email: local.email, password: local.password })).text).toContain('Allow');
  });

  it('that breaks at the token endpoint brings the person back too', async () => {
    google.broken['token'] = { status: 503, body: 'busy', type: 'text/html' };
    expect((await answered(person())).text).toContain('Google does not answer');
    google.broken['token'] = { status: 400, body: { error: 'invalid_grant' } };
    expect((await answered(person())).text).toContain('did not work');
    google.broken['token'] = { body: `{"access_token":"${'x'.repeat(2_000_000)}"}` };
    expect((await answered(person())).status).toBe(502);
  });

  it('writes neither code, token nor state into the log', async () => {
    google.broken['token'] = { status: 400, body: { error: 'invalid_grant', error_description: 'code-secret' } };
    const { away } = await goTo(rp, browser, 'google');
    const callback = google.approve(away, person());
    await browser.open(callback);
    const log = JSON.stringify(gatehouse.logged);
    for (const name of ['code', 'state']) expect(log).not.toContain(callback.searchParams.get(name)!);
    expect(log).not.toContain('code-secret');
    expect(log).toContain('invalid_grant');
  });

  it('is discovered anew after an hour, and at once after a failure', async () => {
    await answered(person());
    google.broken['discovery'] = { status: 500 };
    browser = new Browser(gatehouse.issuer);
    await goTo(rp, browser, 'google');
    passTime(3601);
    const { url } = await rp.request();
    browser = new Browser(gatehouse.issuer);
    const page = await browser.submit(await browser.open(url), {}, '/upstream/google');
    expect([page.status, alertText(page)]).toEqual([502, expect.stringContaining('Google does not answer') as string]);
    delete google.broken['discovery'];
    expect((await browser.submit(page, {}, '/upstream/google')).status).toBe(0);
    backToNow();
  });
});

describe('a Google Workspace domain', () => {
  let workspace: Running;
  beforeAll(async () => {
    workspace = await startWithUpstreams({
      google: { ...CLIENT, issuer: google.issuer, hosted_domain: 'example.com' },
    });
  });
  afterAll(() => workspace.stop());

  it('is asked for, and checked in the ID token', async () => {
    const own = await relyingParty(workspace, await workspace.app());
    const answer = async (claims: Record<string, unknown>) => {
      const visitor = new Browser(workspace.issuer);
      const { away } = await goTo(own, visitor, 'google');
      expect(away.searchParams.get('hd')).toBe('example.com');
      return visitor.open(google.approve(away, claims));
    };
    for (const hd of [undefined, 'example.org', 'EXAMPLE.com.evil.example', ['example.com']]) {
      const page = await answer(person({ hd }));
      expect([page.status, alertText(page)]).toEqual([403, expect.stringContaining('may not be used here') as string]);
    }
    expect((await answer(person({ hd: 'example.com' }))).text).toContain('Allow');
  });
});

describe('a provider that is down', () => {
  it('holds up neither the start nor the sign-in page nor the password', async () => {
    const gone = await startOpenidServer();
    await gone.stop();
    const lonely = await startWithUpstreams({ google: { ...CLIENT, issuer: gone.issuer } });
    const own = await relyingParty(lonely, await lonely.app());
    const visitor = new Browser(lonely.issuer);
    const page = await visitor.open((await own.request()).url);
    expect(hasButton(page, 'google')).toBe(true);
    const failed = await visitor.submit(page, {}, '/upstream/google');
    expect([failed.status, alertText(failed)]).toEqual([502, expect.stringContaining('does not answer') as string]);
    const local = await lonely.person();
    expect((await visitor.submit(failed, { email: local.email, password: local.password })).text).toContain('Allow');
    await lonely.stop();
  });
});
