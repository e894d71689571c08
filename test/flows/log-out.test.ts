import { buildEndSessionUrl } from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { authorize, begin, heading } from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const AFTERWARDS = 'https://app.example/bye?from=gatehouse';

describe('logging out', () => {
  let gatehouse: Running;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    app = await gatehouse.app({ post_logout_redirect_uris: [AFTERWARDS] });
    rp = await relyingParty(gatehouse, app);
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
  });

  async function signIn(scope = 'openid email') {
    const { callback, checks } = await authorize(rp, person, { scope }, browser);
    return rp.redeem(callback, checks);
  }
  const open = (parameters: Record<string, string> = {}) => browser.open(buildEndSessionUrl(rp.config, parameters));
  const confirm = (page: Page) => browser.submit(page, { logout: 'yes' });
  const stay = (page: Page) => browser.submit(page, {});
  const isSignedIn = async () =>
    (await begin(rp, browser, { scope: 'openid email', prompt: 'none' })).url.searchParams.has('code');

  it('is confirmed by the person, who sees which account it is', async () => {
    await signIn();
    const page = await open();
    expect(heading(page)).toBe('Sign out of Gatehouse?');
    expect(page.text).toContain(person.email);
    expect(await isSignedIn()).toBe(true);
  });

  it('ends on a page that says so', async () => {
    await signIn();
    expect(heading(await confirm(await open()))).toBe('You are signed out');
    expect(await isSignedIn()).toBe(false);
  });

  it('ends the tokens of that session', async () => {
    const { access_token } = await signIn();
    await confirm(await open());
    expect((await userinfo(gatehouse, access_token)).status).toBe(401);
    expect((await as(gatehouse, app).introspect(access_token)).body).toEqual({ active: false });
  });

  it('ends the JWT access tokens of that session', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const { callback, checks } = await authorize(rp, person, { resource: api.resource! }, browser);
    const { access_token } = await rp.redeem(callback, checks);
    await confirm(await open());
    expect((await as(gatehouse, api).introspect(access_token)).body).toEqual({ active: false });
  });

  it('ends the tokens of every tab, not only of the last', async () => {
    const first = await signIn();
    await signIn();
    await confirm(await open());
    expect((await userinfo(gatehouse, first.access_token)).status).toBe(401);
  });

  it('leaves offline_access tokens alone', async () => {
    const offline = await signIn('openid offline_access');
    await confirm(await open());
    expect((await as(gatehouse, app).refresh(offline.refresh_token!)).status).toBe(200);
  });

  it('leaves offline_access tokens alone when the same app also has a session without', async () => {
    const offline = await signIn('openid offline_access');
    const online = await signIn('openid');
    await confirm(await open());
    expect((await userinfo(gatehouse, online.access_token)).status).toBe(401);
    expect((await as(gatehouse, app).refresh(offline.refresh_token!)).status).toBe(200);
  });

  it('leaves the session on another device alone', async () => {
    const there = await signIn();
    browser = new Browser(gatehouse.issuer);
    await signIn();
    await confirm(await open());
    expect((await userinfo(gatehouse, there.access_token)).status).toBe(200);
  });

  it('ends an unused code', async () => {
    const { callback, checks } = await authorize(rp, person, {}, browser);
    await confirm(await open());
    expect((await as(gatehouse, app).redeem({ callback, checks })).body['error']).toBe('invalid_grant');
  });

  it('goes back to the app with its state, by a page and not by a redirect of the form', async () => {
    const { id_token } = await signIn();
    const page = await open({ id_token_hint: id_token!, post_logout_redirect_uri: AFTERWARDS, state: 'a&b' });
    expect(page.text).toContain('Acme Notes asks you to sign out here too');
    const response = await browser.request(page.html.querySelector('form')!.getAttribute('action')!, {
      method: 'POST',
      body: new URLSearchParams({
        xsrf: page.html.querySelector('input[name=xsrf]')!.getAttribute('value')!,
        logout: 'yes',
      }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.get('refresh')).toBe(`0;url=${AFTERWARDS}&state=a%26b`);
    expect(await response.text()).toContain(`href="${AFTERWARDS}&amp;state=a%26b"`);
  });

  it('accepts an id_token_hint that has expired', async () => {
    const { id_token } = await signIn();
    const page = await open({ id_token_hint: id_token!, post_logout_redirect_uri: AFTERWARDS });
    expect((await confirm(page)).url.href).toBe(AFTERWARDS);
  });

  it('does not go to an address that is not registered', async () => {
    const page = await open({ post_logout_redirect_uri: 'https://evil.example/', client_id: app.client_id });
    expect(page.status).toBe(400);
    expect(page.headers.get('location') ?? page.headers.get('refresh')).toBeNull();
  });

  it('does not go to any address for an app that is not named', async () => {
    await signIn();
    const page = await open({ post_logout_redirect_uri: AFTERWARDS, client_id: '' });
    expect(heading(await confirm(page))).toBe('You are signed out');
  });

  it('can be declined: the person stays signed in', async () => {
    await signIn();
    const page = await stay(await open());
    expect(heading(page)).toBe('You are still signed in');
    expect(await isSignedIn()).toBe(true);
  });

  it('declined, with an address to go to, goes back to the app still signed in', async () => {
    await signIn();
    const page = await stay(await open({ post_logout_redirect_uri: AFTERWARDS, client_id: app.client_id }));
    expect(page.url.origin).toBe('https://app.example');
    expect(await isSignedIn()).toBe(true);
  });

  it('without a session says that nobody is signed in any more', async () => {
    expect(heading(await open())).toBe('You are signed out');
  });

  it('without a session goes straight back to the app', async () => {
    const page = await open({ post_logout_redirect_uri: AFTERWARDS, client_id: app.client_id, state: 's' });
    expect(page.url.href).toBe(`${AFTERWARDS}&state=s`);
  });

  it('twice is no error', async () => {
    await signIn();
    await confirm(await open());
    expect(heading(await open())).toBe('You are signed out');
  });

  it('asked in two tabs and confirmed in both ends without an error', async () => {
    await signIn();
    const [one, two] = [await open(), await open()];
    await confirm(two);
    expect((await confirm(one)).status).toBeLessThan(500);
  });

  it('cannot be forged: the form needs the secret of the page', async () => {
    await signIn();
    const page = await open();
    const forged = await browser.open(page.html.querySelector('form')!.getAttribute('action')!, {
      method: 'POST',
      body: new URLSearchParams({ xsrf: 'guess', logout: 'yes' }),
    });
    expect(forged.status).toBe(400);
    expect(await isSignedIn()).toBe(true);
  });
});
