import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '../../examples/api/api.ts';
import { createApp } from '../../examples/session-app/app.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { startLogOutReceiver } from '../support/log-out-receiver.ts';
import type { LogOutReceiver } from '../support/log-out-receiver.ts';
import { clickThrough } from '../support/relying-party.ts';
import { listen } from './listen.ts';
import type { Listening } from './listen.ts';

type Person = Awaited<ReturnType<Running['person']>>;

describe('the example app', () => {
  let gatehouse: Running;
  let app: Listening;
  let api: Listening;
  /** Stands before the app and keeps the tokens that it is told by. */
  let receiver: LogOutReceiver;
  let told: string[];
  /** One browser, split by origin. */
  let atApp: Browser;
  let atGatehouse: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse({ GATEHOUSE_OUTBOUND_ALLOW_PRIVATE: 'true' });
    [app, api, receiver] = await Promise.all([listen(), listen(), startLogOutReceiver()]);
    await gatehouse.app({ type: 'api', resource: api.origin, scope: 'notes:read notes:write' });
    const { client_id, client_secret } = await gatehouse.app({
      redirect_uris: [`${app.origin}/callback`],
      post_logout_redirect_uris: [`${app.origin}/`],
      backchannel_logout_uri: receiver.url,
      backchannel_logout_session_required: true,
    });
    ({ tokens: told } = receiver);
    receiver.answer((res) => {
      const body = new URLSearchParams({ logout_token: told.at(-1)! });
      void fetch(`${app.origin}/backchannel-logout`, { method: 'POST', body }).then(({ status }) =>
        res.writeHead(status).end(),
      );
    });
    const common = { ISSUER: gatehouse.issuer, API_RESOURCE: api.origin };
    api.serve(await createApi(common));
    app.serve(await createApp({ ...common, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, ORIGIN: app.origin }));
  });
  beforeEach(() => {
    atApp = new Browser(app.origin);
    atGatehouse = new Browser(gatehouse.issuer);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  afterAll(async () => {
    await Promise.all([app.stop(), api.stop(), receiver.stop()]);
    await gatehouse.stop();
  });

  async function signIn(person: Person): Promise<Page> {
    const { url } = await atApp.open('/sign-in');
    return atApp.open(await clickThrough(atGatehouse, url, person));
  }
  const sessionId = async () => (await atApp.jar.getCookies(app.origin)).find(({ key }) => key === 'notes')?.value;

  it('signs a person in and shows who it is', async () => {
    const person = await gatehouse.person({ name: 'Ada <Lovelace>', roles: ['editor', 'reader'] });
    const page = await signIn(person);
    expect(page.url.href).toBe(`${app.origin}/`);
    expect(page.text).toContain('Hello, Ada &#60;Lovelace&#62;');
    expect(page.text).toContain(person.email);
    expect(page.text).toContain('editor, reader');
  });

  it('gives the session a new id at sign-in, and keeps tokens out of the browser', async () => {
    const { url } = await atApp.open('/sign-in');
    const before = await sessionId();
    await atApp.open(await clickThrough(atGatehouse, url, await gatehouse.person()));
    expect(before).toBeTypeOf('string');
    expect(await sessionId()).not.toBe(before);
    expect(await atApp.jar.getCookieString(app.origin)).not.toContain('eyJ');
  });

  it('calls the API, also when its access token is over', async () => {
    await signIn(await gatehouse.person());
    expect((await atApp.open('/notes')).text).toContain('The API answered 200');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_000_000 });
    expect((await atApp.open('/notes')).text).toContain('The API answered 200');
    vi.setSystemTime(Date.now() + 1_000_000);
    expect((await atApp.open('/notes')).text).toContain('The API answered 200');
  });

  it('sends the person to sign in again when it gets no fresh tokens', async () => {
    const person = await gatehouse.person();
    await signIn(person);
    await gatehouse.access.suspend(person.sub);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1_000_000 });
    const { status, headers } = await atApp.request('/notes');
    expect([status, headers.get('location')]).toEqual([302, '/sign-in']);
  });

  it('shows what the API forbids', async () => {
    const page = await signIn(await gatehouse.person({ roles: ['reader'] }));
    expect((await atApp.submit(page, {}, '/notes/clear')).text).toContain('The API answered 403');
    atApp = new Browser(app.origin);
    atGatehouse = new Browser(gatehouse.issuer);
    const editors = await signIn(await gatehouse.person({ roles: ['editor'] }));
    expect((await atApp.submit(editors, {}, '/notes/clear')).text).toContain('The API answered 204');
  });

  it('signs out here and at the provider', async () => {
    const person = await gatehouse.person();
    const page = await signIn(person);
    const { url } = await atApp.submit(page, {}, '/sign-out');
    const back = await atGatehouse.submit(await atGatehouse.open(url), { logout: 'yes' });
    expect(back.url.href).toBe(`${app.origin}/`);
    expect((await atApp.open(back.url)).text).toContain('Sign in');
    const again = await atGatehouse.open((await atApp.open('/sign-in')).url);
    expect(again.html.querySelector('input[name=password]')).not.toBeNull();
  });

  it('tells a person who cancelled that they are not signed in', async () => {
    const { url } = await atApp.open('/sign-in');
    const page = await atGatehouse.open(url);
    const cancelled = await atGatehouse.submit(page, {}, '/cancel');
    const answer = await atApp.open(cancelled.url);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('You are not signed in: the person cancelled');
    expect((await atApp.open('/')).text).toContain('Sign in');
  });

  it('signs nobody in by an answer to somebody else’s request', async () => {
    const { url } = await new Browser(app.origin).open('/sign-in');
    const planted = await clickThrough(atGatehouse, url, await gatehouse.person());
    expect((await atApp.open(planted)).status).toBe(400);
    await atApp.open('/sign-in');
    expect((await atApp.open(planted)).status).toBe(400);
    expect((await atApp.open('/')).text).toContain('Sign in');
  });

  describe('told by a log-out token', () => {
    const isSignedIn = async (browser = atApp) => (await browser.open('/')).text.includes('Hello');
    const tell = async (logout_token: string) =>
      (await fetch(`${app.origin}/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token }) }))
        .status;
    const isSignedOut = (browser = atApp) => eventually(async () => expect(await isSignedIn(browser)).toBe(false));

    it('ends the session, though the person was signed out elsewhere', async () => {
      const person = await gatehouse.person();
      await signIn(person);
      expect(await isSignedIn()).toBe(true);
      await gatehouse.access.suspend(person.sub);
      await isSignedOut();
    });

    it('leaves the session on another device alone', async () => {
      const person = await gatehouse.person();
      await signIn(person);
      const here = { atApp, atGatehouse };
      atApp = new Browser(app.origin);
      atGatehouse = new Browser(gatehouse.issuer);
      await signIn(person);
      await here.atGatehouse.submit(await here.atGatehouse.open('/session/end'), { logout: 'yes' });
      await isSignedOut(here.atApp);
      expect(await isSignedIn()).toBe(true);
    });

    it('takes one once: a copy is refused', async () => {
      const person = await gatehouse.person();
      await signIn(person);
      const before = told.length;
      await gatehouse.access.suspend(person.sub);
      await eventually(() => expect(told.length).toBe(before + 1));
      expect(await tell(told.at(-1)!)).toBe(400);
    });

    it('refuses what is none', async () => {
      await signIn(await gatehouse.person());
      for (const token of ['', 'x', 'eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9.e30.'])
        expect(await tell(token)).toBe(400);
      expect(await isSignedIn()).toBe(true);
    });
  });
});
