import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Authenticator } from '../support/passkey-authenticator.ts';
import type { Algorithm } from '../support/passkey-authenticator.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  alertText,
  authorize,
  backToNow,
  begin,
  browserFor,
  enterPassword,
  heading,
  passTime,
} from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import {
  createPasskey,
  deviceCanMakePasskeys,
  optionsOf,
  passkeyForm,
  sendAnswer,
  signUpWithPasskey,
  usePasskey,
  withPasskey,
} from '../support/passkeys.ts';
import { freePort } from '../support/ports.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a passkey', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => gatehouse.stop());
  afterEach(backToNow);

  const open = async (parameters?: Record<string, string>, browser = browserFor(rp)) => {
    const { url, checks } = await rp.request(parameters);
    return { browser, checks, page: await browser.open(url) };
  };
  const arrived = ({ url }: Page) => url.origin === 'https://app.example';

  it('signs in without an e-mail or a password, as two factors', async () => {
    const person = await gatehouse.person();
    const device = await withPasskey(gatehouse, person);
    const { browser, checks, page } = await open();
    const done = await usePasskey(browser, page, device);
    expect(arrived(done)).toBe(true);
    const claims = (await rp.redeem(done.url, checks)).claims();
    expect(claims).toMatchObject({ sub: person.sub, acr: 'urn:gatehouse:acr:3' });
    expect(claims!['amr']).toEqual(['pop', 'swk', 'user', 'mfa']);
    const [passkey] = await gatehouse.passkeys!.list(person.sub);
    expect(passkey).toMatchObject({ counter: 0, synced: true, backed_up: true });
    expect(passkey!.last_used_at).not.toBeNull();
    expect((await gatehouse.accounts.find(person.sub))!.last_sign_in_at).not.toBeNull();
  });

  it('of one device says so, and counts its uses', async () => {
    const person = await gatehouse.person();
    const device = await withPasskey(gatehouse, person, { synced: false });
    for (const counter of [1, 2]) {
      const { browser, checks, page } = await open();
      const done = await usePasskey(browser, page, device);
      expect((await rp.redeem(done.url, checks)).claims()!['amr']).toEqual(['pop', 'hwk', 'user', 'mfa']);
      expect(await gatehouse.passkeys!.list(person.sub)).toMatchObject([{ counter, synced: false }]);
    }
  });

  it.each<Algorithm>(['ES256', 'RS256', 'EdDSA'])('may sign with %s', async (algorithm) => {
    const person = await gatehouse.person();
    const device = new Authenticator(gatehouse.issuer);
    const holder = { id: person.sub, email: person.email, name: 'Ada' };
    const asked = (await gatehouse.passkeys!.registrationOptions('b', holder)) as never;
    expect(await gatehouse.passkeys!.register('b', person.sub, device.create(asked, {}, algorithm))).toHaveProperty(
      'passkey',
    );
    const { browser, page } = await open();
    expect(arrived(await usePasskey(browser, page, device))).toBe(true);
  });

  it('proves again who is signed in already', async () => {
    const person = await gatehouse.person();
    const device = await withPasskey(gatehouse, person);
    const browser = browserFor(rp);
    await authorize(rp, person, {}, browser);
    for (const parameters of [{ prompt: 'login' }, { max_age: '10' }] as Record<string, string>[]) {
      passTime(100);
      const { checks, page } = await open(parameters, browser);
      expect(heading(page)).toBe('Confirm it is you');
      const claims = (await rp.redeem((await usePasskey(browser, page, device)).url, checks)).claims();
      expect(claims!.auth_time).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1000) - 2);
    }
  });

  it('that is asked for says nothing about anybody', async () => {
    const person = await gatehouse.person();
    await withPasskey(gatehouse, person);
    const shapes = await Promise.all(
      [person.email, 'nobody@example.com', undefined].map(async (login_hint) => {
        const { browser, page } = await open(login_hint === undefined ? {} : { login_hint });
        const { challenge, ...rest } = await optionsOf(browser, page);
        expect(Buffer.from(challenge, 'base64url')).toHaveLength(32);
        return rest;
      }),
    );
    for (const shape of shapes)
      expect(shape).toEqual({
        rpId: 'localhost',
        timeout: 300_000,
        userVerification: 'required',
        allowCredentials: [],
      });
  });

  it('that nobody has registered is told so, and the password still does', async () => {
    const person = await gatehouse.person();
    const stranger = new Authenticator(gatehouse.issuer);
    const options = {
      challenge: 'AAAA',
      rp: { id: 'localhost' },
      user: { id: 'dXNyXzE', name: 'x', displayName: 'x' },
    };
    stranger.create(options);
    const { browser, page } = await open();
    const refused = await usePasskey(browser, page, stranger);
    expect([refused.status, alertText(refused)]).toEqual([
      401,
      'That passkey does not open an account here. Use another one, or sign in another way.',
    ]);
    expect(refused.html.querySelector('form[data-unknown]')).not.toBeNull();
    expect(arrived(await enterPassword(browser, refused, person))).toBe(true);
  });

  it('of a suspended person opens nothing, as if it were unknown', async () => {
    const person = await gatehouse.person();
    const device = await withPasskey(gatehouse, person);
    await gatehouse.access.suspend(person.sub);
    const { browser, page } = await open();
    const refused = await usePasskey(browser, page, device);
    expect([refused.status, alertText(refused)]).toEqual([401, expect.stringContaining('does not open an account')]);
  });

  it('goes with its person', async () => {
    const person = await gatehouse.person();
    const device = await withPasskey(gatehouse, person);
    await gatehouse.access.remove(person.sub);
    expect(await gatehouse.passkeys!.list(person.sub)).toEqual([]);
    const { browser, page } = await open();
    expect((await usePasskey(browser, page, device)).status).toBe(401);
  });

  describe('is offered', () => {
    const afterPassword = async (person: Person, browser = browserFor(rp), able = true) => {
      if (able) await deviceCanMakePasskeys(browser, gatehouse.issuer);
      return { browser, page: await enterPassword(browser, await begin(rp, browser, { prompt: 'login' }), person) };
    };

    it('after a password, on a device that can make one, and signs in the next time', async () => {
      const person = await gatehouse.person();
      const device = new Authenticator(gatehouse.issuer, { aaguid: 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4' });
      const { browser, page } = await afterPassword(person);
      expect(heading(page)).toBe('Sign in faster next time');
      expect(arrived(await createPasskey(browser, page, device))).toBe(true);
      expect(await gatehouse.passkeys!.list(person.sub)).toMatchObject([{ name: 'Google Password Manager' }]);
      const next = await open();
      expect(arrived(await usePasskey(next.browser, next.page, device))).toBe(true);
    });

    it('and does not make this sign-in a stronger one', async () => {
      const person = await gatehouse.person();
      const browser = browserFor(rp);
      await deviceCanMakePasskeys(browser, gatehouse.issuer);
      const { url, checks } = await rp.request();
      const offer = await enterPassword(browser, await browser.open(url), person);
      const done = await createPasskey(browser, offer, new Authenticator(gatehouse.issuer));
      expect((await rp.redeem(done.url, checks)).claims()).toMatchObject({ acr: 'urn:gatehouse:acr:1', amr: ['pwd'] });
    });

    it('once: who says not now is not asked for 30 days on this device', async () => {
      const person = await gatehouse.person();
      const { browser, page } = await afterPassword(person);
      expect(arrived(await browser.submit(page, {}, '/skip'))).toBe(true);
      passTime(29 * 86_400);
      expect(arrived((await afterPassword(person, browser, false)).page)).toBe(true);
      passTime(2 * 86_400);
      expect(heading((await afterPassword(person, browser)).page)).toBe('Sign in faster next time');
    });

    it('neither without the script nor to who has one', async () => {
      const person = await gatehouse.person();
      expect(arrived((await afterPassword(person, browserFor(rp), false)).page)).toBe(true);
      await withPasskey(gatehouse, person);
      expect(arrived((await afterPassword(person)).page)).toBe(true);
    });

    it('and one that fails leaves the offer open', async () => {
      const { browser, page } = await afterPassword(await gatehouse.person());
      const again = await createPasskey(browser, page, new Authenticator(gatehouse.issuer), { userVerified: false });
      expect([again.status, heading(again)]).toEqual([401, 'Sign in faster next time']);
      expect(alertText(again)).toBe('That passkey could not be checked. Try again, or sign in another way.');
      expect(arrived(await createPasskey(browser, again, new Authenticator(gatehouse.issuer)))).toBe(true);
    });
  });

  describe('in place of a password, at sign-up', () => {
    const signUp = async (values: { name: string; email: string }, browser = browserFor(rp)) => ({
      browser,
      page: await signUpWithPasskey(rp, browser, values),
    });
    const grace = () => ({ name: 'Grace Hopper', email: `grace${Math.random()}@example.com` });

    it('makes an account that has none', async () => {
      const values = grace();
      const device = new Authenticator(gatehouse.issuer);
      const { browser, page } = await signUp(values);
      expect(heading(page)).toBe('Create your passkey');
      expect(await gatehouse.accounts.findByEmail(values.email)).toBeUndefined();
      expect(arrived(await createPasskey(browser, page, device))).toBe(true);
      const account = await gatehouse.accounts.findByEmail(values.email);
      expect(account).toMatchObject({ name: 'Grace Hopper', password_hash: null, email_verified: false });
      const next = await open();
      expect(arrived(await usePasskey(next.browser, next.page, device))).toBe(true);
    });

    it('asks for name and address first', async () => {
      const { page } = await signUp({ name: '', email: 'no address' });
      expect(page.status).toBe(400);
      expect(page.html.querySelectorAll('.gh-field .gh-error')).toHaveLength(2);
    });

    it('can be given up for a password', async () => {
      const values = grace();
      const { browser, page } = await signUp(values);
      const form = await browser.open(page.html.querySelector('a[href$="/sign-up"]')!.getAttribute('href')!);
      expect(arrived(await browser.submit(form, { ...values, password: 'tr0ubadour and staple' }, '/sign-up'))).toBe(
        true,
      );
      expect((await gatehouse.accounts.findByEmail(values.email))!.password_hash).not.toBeNull();
    });

    it('fails where somebody took the address meanwhile, and leaves nothing behind', async () => {
      const values = grace();
      const { browser, page } = await signUp(values);
      const holder = await gatehouse.person({ email: values.email });
      const device = new Authenticator(gatehouse.issuer);
      const taken = await createPasskey(browser, page, device);
      expect(taken.status).toBe(400);
      expect(taken.text).toContain('There is already an account with this e-mail');
      expect(await gatehouse.passkeys!.list(holder.sub)).toEqual([]);
      const next = await open();
      expect((await usePasskey(next.browser, next.page, device)).status).toBe(401);
    });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'nonsense'],
    ['JSON of another kind', '[1,2]'],
    ['no base64url', JSON.stringify({ id: '§', rawId: '§', type: 'public-key', response: {} })],
    ['a client data that is none', answerWith({ clientDataJSON: 'bm9uc2Vuc2U' })],
    ['too much', JSON.stringify({ id: 'a'.repeat(20_000) })],
  ])('whose answer is %s is a bad request', async (_, credential) => {
    const { browser, page } = await open();
    expect((await sendAnswer(browser, page, credential)).status).toBe(400);
  });

  it('is asked for and sent in forms of ours only', async () => {
    const { browser, page } = await open();
    const { action, options } = passkeyForm(page);
    for (const url of [action, options]) {
      expect(
        (await browser.request(url, { method: 'POST', body: new URLSearchParams({ credential: '{}' }) })).status,
      ).toBe(403);
      const json = { method: 'POST', body: '{"_csrf":"x"}', headers: { 'content-type': 'application/json' } };
      expect((await browser.request(url, json)).status).toBe(403);
    }
    const big = new URLSearchParams({ credential: 'x'.repeat(100_000) });
    expect((await browser.request(action, { method: 'POST', body: big })).status).toBe(413);
  });
});

function answerWith(response: object): string {
  const some = { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA' };
  return JSON.stringify({ id: 'AAAA', rawId: 'AAAA', type: 'public-key', response: { ...some, ...response } });
}

describe('passkeys', () => {
  it.each([
    [
      'they are off',
      (port: number) => ({ GATEHOUSE_ISSUER: `http://localhost:${port}`, GATEHOUSE_PASSKEYS_ENABLED: 'false' }),
    ],
    ['the issuer has no name', (port: number) => ({ GATEHOUSE_ISSUER: `http://127.0.0.1:${port}` })],
  ] as const)('are not spoken of where %s', async (_why, envAt) => {
    const port = await freePort();
    const gatehouse = await startGatehouse(envAt(port), '', port);
    const rp = await relyingParty(gatehouse, await gatehouse.app());
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    expect(page.text).not.toMatch(/passkey|webauthn/);
    expect((await browser.request(`${page.url.pathname}/passkey/options`, { method: 'POST' })).status).toBe(404);
    await gatehouse.stop();
  });

  it('belong to the host of an issuer with a path', async () => {
    const gatehouse = await startGatehouse({}, '/sso/one');
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const device = await withPasskey(gatehouse, await gatehouse.person());
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    expect((await optionsOf(browser, page)).rpId).toBe('localhost');
    expect((await usePasskey(browser, page, device)).url.origin).toBe('https://app.example');
    await gatehouse.stop();
  });
});
