import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { as, userinfo } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  authorize,
  backToNow,
  begin,
  beginConsent,
  enterPassword,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { App, Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const scope = 'openid email offline_access';

describe('when an account', () => {
  let gatehouse: Running;
  let api: App;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = new Browser(gatehouse.issuer);
  });

  async function signIn(parameters: Record<string, string> = {}) {
    const { callback, checks } = await authorize(rp, person, { scope, ...parameters }, browser);
    return rp.redeem(callback, checks);
  }

  describe.each([
    ['is suspended', (sub: string) => gatehouse.access.suspend(sub)],
    ['is deleted', (sub: string) => gatehouse.access.remove(sub)],
  ])('%s', (_what, end) => {
    it('its session is over', async () => {
      await signIn();
      await end(person.sub);
      expect((await begin(rp, browser, { scope, prompt: 'none' })).url.searchParams.get('error')).toBe(
        'login_required',
      );
    });

    it('its access tokens open nothing', async () => {
      const { access_token } = await signIn();
      await end(person.sub);
      expect((await userinfo(gatehouse, access_token)).status).toBe(401);
      expect((await as(gatehouse, app).introspect(access_token)).body).toEqual({ active: false });
    });

    it('its JWT access tokens open nothing here', async () => {
      const { access_token } = await signIn({ resource: api.resource! });
      await end(person.sub);
      expect((await userinfo(gatehouse, access_token)).status).toBe(401);
      expect((await as(gatehouse, api).introspect(access_token)).body).toEqual({ active: false });
    });

    it('its refresh tokens give nothing', async () => {
      const { refresh_token } = await signIn();
      await end(person.sub);
      expect((await as(gatehouse, app).refresh(refresh_token!)).body['error']).toBe('invalid_grant');
      expect((await as(gatehouse, app).introspect(refresh_token!)).body).toEqual({ active: false });
    });

    it('its code gives nothing', async () => {
      const authorized = await authorize(rp, person, { scope }, browser);
      await end(person.sub);
      expect((await as(gatehouse, app).redeem(authorized)).body['error']).toBe('invalid_grant');
    });

    it('its password is answered like a wrong one', async () => {
      await end(person.sub);
      const page = await enterPassword(browser, await begin(rp, browser), person);
      expect(page.status).toBe(401);
      expect(page.text).toContain('That e-mail and password do not match.');
    });

    it('in the middle of consent, the way on leads to a page that begins again', async () => {
      const consent = await beginConsent(rp, browser, person);
      await end(person.sub);
      const page = await browser.submit(consent, { decision: 'allow' });
      expect(page.status).toBe(400);
      const again = await browser.open(linkNamed(page, 'Start again'));
      expect(heading(again)).toBe('Sign in to Acme Notes');
    });

    it('between the password and the next page, the sign-in is over', async () => {
      const page = await begin(rp, browser);
      const form = page.html.querySelector('form')!;
      const response = await browser.request(form.getAttribute('action')!, {
        method: 'POST',
        body: new URLSearchParams({
          _csrf: form.querySelector('[name=_csrf]')!.getAttribute('value')!,
          email: person.email,
          password: person.password,
        }),
      });
      await end(person.sub);
      const next = await browser.open(/url=(.*)$/.exec(response.headers.get('refresh')!)![1]!);
      expect([next.status, heading(next)]).toEqual([400, 'This took too long']);
    });
  });

  it('is resumed, its person signs in anew and old tokens stay dead', async () => {
    const { refresh_token } = await signIn();
    await gatehouse.access.suspend(person.sub);
    await gatehouse.access.resume(person.sub);
    expect((await as(gatehouse, app).refresh(refresh_token!)).body['error']).toBe('invalid_grant');
    expect((await signIn()).access_token).toBeTypeOf('string');
  });

  it('gets another password, sessions and tokens end and only the new one works', async () => {
    const { refresh_token } = await signIn();
    await gatehouse.access.setPassword(person.sub, 'quite another phrase');
    expect((await as(gatehouse, app).refresh(refresh_token!)).body['error']).toBe('invalid_grant');
    const page = await begin(rp, browser, { scope });
    expect((await enterPassword(browser, page, person)).status).toBe(401);
    const done = await enterPassword(browser, page, { ...person, password: 'quite another phrase' });
    expect(done.url.searchParams.get('code')).toBeTruthy();
  });

  it('is deleted, its e-mail is free for a new account that inherits nothing', async () => {
    await signIn();
    await gatehouse.access.remove(person.sub);
    const heir = await gatehouse.person({ email: person.email });
    expect(heir.sub).not.toBe(person.sub);
    expect(heading(await beginConsent(rp, new Browser(gatehouse.issuer), heir))).toBe('Acme Notes wants access');
  });
});

describe('when a client is deleted', () => {
  let gatehouse: Running;
  let app: App;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    person = await gatehouse.person();
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    app = await gatehouse.app();
    rp = await relyingParty(gatehouse, app);
    browser = new Browser(gatehouse.issuer);
  });
  afterEach(backToNow);

  /** A client that a process has just used is remembered there for a second. */
  const remove = async () => {
    await gatehouse.clients.delete(app.client_id);
    passTime(2);
  };

  it('its sign-in begins with a page that says the app is not known', async () => {
    await remove();
    const page = await begin(rp, browser);
    expect([page.status, heading(page)]).toEqual([400, 'We do not know this app']);
  });

  it('in the middle of a sign-in, the person gets a page and goes nowhere', async () => {
    const page = await begin(rp, browser);
    await remove();
    const next = await enterPassword(browser, page, person);
    expect(next.status).toBe(400);
    expect(next.url.origin).toBe(gatehouse.issuer);
  });

  it('in the middle of consent, the person gets a page and goes nowhere', async () => {
    const page = await beginConsent(rp, browser, person);
    await remove();
    const next = await browser.submit(page, { decision: 'allow' });
    expect(next.status).toBe(400);
    expect(next.url.origin).toBe(gatehouse.issuer);
  });

  it('its code and tokens give nothing', async () => {
    const authorized = await authorize(rp, person, { scope }, browser);
    const first = await as(gatehouse, app).redeem(authorized);
    const second = await authorize(rp, person, { scope }, browser);
    await remove();
    expect((await as(gatehouse, app).redeem(second)).body['error']).toBe('invalid_client');
    expect((await as(gatehouse, app).refresh(String(first.body['refresh_token']))).body['error']).toBe(
      'invalid_client',
    );
    expect((await userinfo(gatehouse, String(first.body['access_token']))).status).toBe(401);
  });

  it('its JWT access tokens are inactive at the API', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    const authorized = await authorize(rp, person, { resource: api.resource! }, browser);
    const { body } = await as(gatehouse, app).redeem(authorized);
    await remove();
    expect((await as(gatehouse, api).introspect(String(body['access_token']))).body).toEqual({ active: false });
  });

  it('logging out still works', async () => {
    await authorize(rp, person, {}, browser);
    await remove();
    const page = await browser.open('/session/end');
    expect(heading(await browser.submit(page, { logout: 'yes' }))).toBe('You are signed out');
  });

  it('what people had allowed it is forgotten', async () => {
    await authorize(rp, person, {}, browser);
    await remove();
    expect(await gatehouse.storage.consents.find(person.sub, app.client_id)).toBeUndefined();
  });

  it('an API that is gone is invalid_target for the apps that name it', async () => {
    const api = await gatehouse.app({ type: 'api', scope: 'notes:read' });
    await gatehouse.clients.delete(api.client_id);
    passTime(2);
    const page = await begin(rp, browser, { resource: api.resource! });
    expect(page.url.searchParams.get('error')).toBe('invalid_target');
  });
});

describe('when a secret is replaced at once', () => {
  it('the old one stops working and the new one works', async () => {
    const gatehouse = await startGatehouse();
    const app = await gatehouse.app({ type: 'service' });
    const { client_secret } = await gatehouse.clients.rotateSecret(app.client_id, { overlap: 0 });
    expect((await as(gatehouse, app).clientCredentials()).body['error']).toBe('invalid_client');
    expect((await as(gatehouse, { ...app, client_secret }).clientCredentials()).status).toBe(200);
    await gatehouse.stop();
  });
});
