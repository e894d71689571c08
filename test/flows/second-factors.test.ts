import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACR } from '../../src/factors/levels.ts';
import { codeOf } from '../support/authenticator.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { enterCode, shownCodes, shownSecret, withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, backToNow, begin, enterPassword, heading, linkNamed, passTime } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import { createPasskey, usePasskey, withPasskey } from '../support/passkeys.ts';
import { pressButton, startWithMail } from '../support/mailed.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const PROVE = 'Confirm it is you';
const ENROL = 'Add a second step';
const essential = (...values: string[]) => JSON.stringify({ id_token: { acr: { essential: true, values } } });

/** One authorization of an app that needs no consent. */
async function start(rp: RelyingParty, browser: Browser, parameters: Record<string, string> = {}) {
  const { url, checks } = await rp.request(parameters);
  return { page: await browser.open(url), checks };
}
const arrived = (page: Page) => page.status === 0;
const errorOf = (page: Page) => page.url.searchParams.get('error');

describe('a person with an authenticator app', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  let person: Person;
  let secret: string;
  let codes: string[];
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    browser = new Browser(gatehouse.issuer);
    person = await gatehouse.person();
    ({ secret, codes } = await withApp(gatehouse, person));
  });
  afterEach(() => backToNow());
  const password = async (parameters?: Record<string, string>) => {
    const { page, checks } = await start(rp, browser, parameters);
    return { page: await enterPassword(browser, page, person), checks };
  };

  it('types a code after the password, and the app learns of both factors', async () => {
    const { page, checks } = await password();
    expect(heading(page)).toBe(PROVE);
    expect(page.headers.get('cache-control')).toBe('no-store');
    const tokens = await rp.redeem((await enterCode(browser, page, secret)).url, checks);
    expect(tokens.claims()).toMatchObject({ acr: ACR[2], amr: ['pwd', 'otp', 'mfa'] });
  });

  it('is told what is wrong with a code, and may try again', async () => {
    const { page } = await password();
    expect(alertText(await browser.submit(page, { code: '' }))).toContain('six digits');
    const wrong = await browser.submit(page, { code: '000000' });
    expect([wrong.status, alertText(wrong)]).toEqual([400, expect.stringContaining('not right')]);
    expect(wrong.html.querySelector('#code')?.getAttribute('aria-invalid')).toBe('true');
    expect(arrived(await enterCode(browser, wrong, secret))).toBe(true);
  });

  it('lost the phone: uses a recovery code, once', async () => {
    const { page } = await password();
    const other = await browser.open(linkNamed(page, 'Use a recovery code'));
    expect(alertText(await browser.submit(other, { code: 'abcd-abcd-abcd' }))).toContain('not one of your codes');
    expect(arrived(await browser.submit(other, { code: codes[0]!.toUpperCase() }))).toBe(true);
    browser = new Browser(gatehouse.issuer);
    const again = await browser.open(linkNamed((await password()).page, 'Use a recovery code'));
    expect(alertText(await browser.submit(again, { code: codes[0]! }))).toContain('used before');
  });

  it('is warned when few recovery codes are left, and makes new ones', async () => {
    for (const code of codes.slice(0, 6)) await gatehouse.factors.useRecoveryCode(person.sub, code);
    const { page } = await password();
    const other = await browser.open(linkNamed(page, 'Use a recovery code'));
    const few = await browser.submit(other, { code: codes[6]! });
    expect([heading(few), few.text.includes('You have 3 recovery codes left')]).toEqual([
      'Few recovery codes left',
      true,
    ]);
    const renewed = await browser.submit(few);
    const fresh = shownCodes(renewed);
    expect(fresh).toHaveLength(10);
    expect(await gatehouse.factors.useRecoveryCode(person.sub, codes[7]!)).toBe(false);
    const reloaded = await browser.submit(few);
    expect([shownCodes(reloaded), reloaded.text.includes('New codes were made already')]).toEqual([[], true]);
    expect(await gatehouse.factors.useRecoveryCode(person.sub, fresh[0]!)).toBe(true);
    expect(shownCodes(await browser.submit(reloaded))).toHaveLength(10);
    expect(arrived(await browser.open(linkNamed(renewed, 'I have put them away')))).toBe(true);
  });

  it('has lost everything: is told honestly whom to ask', async () => {
    const { page } = await password();
    const lost = await browser.open(linkNamed(page, 'I have none of these any more'));
    expect(heading(lost)).toBe('Nothing left to confirm with?');
    expect(lost.text).toContain('ask the people who run Gatehouse where you are');
    await gatehouse.access.resetFactors(person.sub);
    browser = new Browser(gatehouse.issuer);
    expect(arrived((await password()).page)).toBe(true);
  });

  it('is not asked again in a browser that they told to remember, for a while', async () => {
    await enterCode(browser, (await password()).page, secret, { remember: 'on' });
    /** All cookies go but that of the second factor. */
    const signOut = async () => {
      const { cookies } = await browser.jar.serialize();
      await browser.jar.removeAllCookies();
      for (const { key, value } of cookies)
        if (key?.includes('remembered')) await browser.jar.setCookie(`${key}=${value}; Path=/`, gatehouse.issuer);
    };
    await signOut();
    const { page, checks } = await password();
    expect((await rp.redeem(page.url, checks)).claims()).toMatchObject({ acr: ACR[2], amr: ['pwd', 'mfa'] });
    // Not where the app wants a fresh proof.
    expect(heading((await password({ prompt: 'login' })).page)).toBe(PROVE);
    expect(heading((await password({ max_age: '0' })).page)).toBe(PROVE);
    expect(await gatehouse.factors.devices.list(person.sub)).toHaveLength(1);
    await signOut();
    passTime(2_592_001);
    expect(heading((await password()).page)).toBe(PROVE);
  });

  it('goes without in the sessions there are, and steps up by the code alone where an app asks', async () => {
    await gatehouse.factors.erase(person.sub);
    const first = await password();
    expect((await rp.redeem(first.page.url, first.checks)).claims()).toMatchObject({ acr: ACR[1], amr: ['pwd'] });
    ({ secret } = await withApp(gatehouse, person));
    expect(arrived((await start(rp, browser)).page)).toBe(true);
    const silent = await start(rp, browser, { prompt: 'none', acr_values: ACR[2] });
    expect(errorOf(silent.page)).toBe('login_required');

    const { page, checks } = await start(rp, browser, { claims: essential(ACR[2]) });
    expect(heading(page)).toBe(PROVE);
    const tokens = await rp.redeem((await enterCode(browser, page, secret)).url, checks);
    expect(tokens.claims()).toMatchObject({ acr: ACR[2], amr: ['pwd', 'otp', 'mfa'] });
    // The session keeps it.
    expect(arrived((await start(rp, browser, { prompt: 'none', claims: essential(ACR[2]) })).page)).toBe(true);
  });

  it('is told the level that was asked for, where the sign-in is stronger', async () => {
    await enterCode(browser, (await password()).page, secret);
    const { page, checks } = await start(rp, browser, { claims: essential(ACR[1]) });
    expect((await rp.redeem(page.url, checks)).claims()).toMatchObject({ acr: ACR[1] });
  });

  it('proves both anew where max_age has passed', async () => {
    await enterCode(browser, (await password()).page, secret);
    passTime(120);
    const { page } = await start(rp, browser, { max_age: '60' });
    expect(page.html.querySelector('input[name=password]')).not.toBeNull();
    const second = await enterPassword(browser, page, person);
    expect(heading(second)).toBe(PROVE);
    expect(arrived(await enterCode(browser, second, secret))).toBe(true);
  });

  it('finds an API told how they signed in, by introspection and in JWTs', async () => {
    const { page, checks } = await password();
    const tokens = await rp.redeem((await enterCode(browser, page, secret)).url, checks);
    const { client_id, client_secret } = rp.app;
    const answer = await fetch(rp.config.serverMetadata().introspection_endpoint!, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
      body: new URLSearchParams({ token: tokens.access_token }),
    });
    expect(await answer.json()).toMatchObject({ active: true, acr: ACR[2], amr: ['pwd', 'otp', 'mfa'] });
  });

  it('adds a passkey after the code, where an app insists on one', async () => {
    const { page, checks } = await password({ claims: essential(ACR[3]) });
    expect(heading(page)).toBe(PROVE);
    const adding = await enterCode(browser, page, secret);
    expect([heading(adding), adding.html.querySelector('.gh-qr')]).toEqual([ENROL, null]);
    const saved = await createPasskey(browser, adding, new Authenticator(gatehouse.issuer));
    expect(shownCodes(saved)).toHaveLength(10);
    const done = await browser.open(linkNamed(saved, 'I have put them away'));
    const claims = (await rp.redeem(done.url, checks)).claims();
    expect(claims).toMatchObject({
      acr: ACR[3],
      amr: expect.arrayContaining(['pwd', 'otp', 'pop', 'mfa']) as string[],
    });
  });

  it('uses a passkey as the second factor, and no code where an app insists on one', async () => {
    const device = await withPasskey(gatehouse, person);
    const { page } = await password();
    const other = await browser.open(linkNamed(page, 'Use a passkey'));
    expect(arrived(await usePasskey(browser, other, device))).toBe(true);

    browser = new Browser(gatehouse.issuer);
    await enterCode(browser, (await password()).page, secret);
    const strict = await start(rp, browser, { claims: essential(ACR[3]) });
    expect(strict.page.html.querySelector('#code')).toBeNull();
    const csrf = strict.page.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;
    passTime(31);
    const forced = await browser.open(strict.page.url, {
      method: 'POST',
      body: new URLSearchParams({ _csrf: csrf, way: 'totp', code: await codeOf(secret) }),
    });
    expect(heading(forced)).toBe(PROVE);
    const done = await usePasskey(browser, strict.page, device);
    expect((await rp.redeem(done.url, strict.checks)).claims()).toMatchObject({ acr: ACR[3] });
  });
});

describe('where a second factor is required', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let browser: Browser;
  afterEach(async () => {
    backToNow();
    await gatehouse.stop();
  });
  const running = async (env: Record<string, string>) => {
    gatehouse = await startGatehouse(env);
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    browser = new Browser(gatehouse.issuer);
  };
  const signIn = async (person: Person, parameters?: Record<string, string>) => {
    const { page, checks } = await start(rp, browser, parameters);
    return { page: await enterPassword(browser, page, person), checks };
  };

  it('a person adds an app on the way, and gets recovery codes', async () => {
    await running({ GATEHOUSE_FACTORS_POLICY: 'required' });
    const person = await gatehouse.person();
    const { page, checks } = await signIn(person);
    expect(heading(page)).toBe(ENROL);
    expect(page.text).not.toContain('Not now');
    expect(page.html.querySelector('.gh-qr svg')).not.toBeNull();
    const secret = shownSecret(page);
    expect(shownSecret(await browser.open(page.url))).toBe(secret);
    expect(alertText(await browser.submit(page, { code: '000000' }))).toContain('not right');
    const saved = await browser.submit(page, { code: await codeOf(secret) });
    expect([heading(saved), shownCodes(saved).length]).toEqual(['Your recovery codes', 10]);
    const done = await browser.open(linkNamed(saved, 'I have put them away'));
    expect((await rp.redeem(done.url, checks)).claims()).toMatchObject({ acr: ACR[2] });
    // From now on it is asked for.
    browser = new Browser(gatehouse.issuer);
    const next = (await signIn(person)).page;
    expect(heading(next)).toBe(PROVE);
    expect(arrived(await enterCode(browser, next, secret))).toBe(true);
    await expect(gatehouse.factors.removeTotp(await gatehouse.accounts.get(person.sub))).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('for a role alone, nobody else is asked', async () => {
    await running({ GATEHOUSE_FACTORS_REQUIRED_ROLES: 'admin' });
    expect(arrived((await signIn(await gatehouse.person())).page)).toBe(true);
    browser = new Browser(gatehouse.issuer);
    expect(heading((await signIn(await gatehouse.person({ roles: ['admin'] }))).page)).toBe(ENROL);
  });

  it('by one app alone, no request lowers it', async () => {
    await running({});
    const person = await gatehouse.person();
    const strict = await relyingParty(
      gatehouse,
      await gatehouse.app({ first_party: true, default_acr_values: [ACR[2]] }),
    );
    expect(arrived((await signIn(person)).page)).toBe(true);
    for (const acr_values of [ACR[1], ACR[2], 'urn:theirs'])
      expect(heading((await start(strict, browser, { acr_values })).page)).toBe(ENROL);
    expect(errorOf((await start(strict, browser, { prompt: 'none' })).page)).toBe('login_required');
  });

  it('with time to add one, "not now" is taken for an answer until it is over', async () => {
    await running({ GATEHOUSE_FACTORS_POLICY: 'required', GATEHOUSE_FACTORS_ENROLMENT_GRACE: '3600' });
    const person = await gatehouse.person();
    const { page, checks } = await signIn(person);
    expect(heading(page)).toBe(ENROL);
    const done = await browser.submit(page, {}, '/skip');
    expect((await rp.redeem(done.url, checks)).claims()).toMatchObject({ acr: ACR[1] });
    expect(arrived((await start(rp, browser)).page)).toBe(true);
    // An app that insists gives no time.
    const insists = await start(rp, browser, { claims: essential(ACR[2]) });
    expect(heading(insists.page)).toBe(ENROL);
    expect(insists.page.text).not.toContain('Not now');
    passTime(3601);
    const late = await start(rp, browser);
    expect(late.page.html.querySelector('input[name=password]')).not.toBeNull();
    const again = await enterPassword(browser, late.page, person);
    expect([heading(again), again.text.includes('Not now')]).toEqual([ENROL, false]);
  });

  it('turned off again, nobody is asked, and who insists hears that it cannot be', async () => {
    await running({ GATEHOUSE_FACTORS_POLICY: 'off' });
    const person = await gatehouse.person();
    await withApp(gatehouse, person);
    const { page, checks } = await signIn(person);
    expect((await rp.redeem(page.url, checks)).claims()).toMatchObject({ acr: ACR[1] });
    expect(errorOf((await start(rp, browser, { claims: essential(ACR[2]) })).page)).toBe(
      'unmet_authentication_requirements',
    );
  });

  it('an app’s wish may be declined', async () => {
    await running({});
    const { page, checks } = await signIn(await gatehouse.person(), { acr_values: ACR[2] });
    expect(heading(page)).toBe(ENROL);
    const done = await browser.submit(page, {}, '/skip');
    expect((await rp.redeem(done.url, checks)).claims()).toMatchObject({ acr: ACR[1] });
  });

  it('an app that insists on a level which nobody has hears so at once', async () => {
    await running({});
    const { page } = await start(rp, browser, { claims: essential('urn:theirs') });
    expect(errorOf(page)).toBe('unmet_authentication_requirements');
  });

  it('where there are no passkeys, an app that insists on one hears so', async () => {
    await running({ GATEHOUSE_PASSKEYS_ENABLED: 'false' });
    const person = await gatehouse.person();
    expect(errorOf((await signIn(person, { claims: essential(ACR[3]) })).page)).toBe(
      'unmet_authentication_requirements',
    );
    await signIn(person);
    for (const prompt of ['none', 'consent'])
      expect(errorOf((await start(rp, browser, { claims: essential(ACR[3]), prompt })).page)).toBe(
        'unmet_authentication_requirements',
      );
    // A wish is no demand.
    const { page, checks } = await start(rp, browser, { acr_values: ACR[3] });
    expect((await rp.redeem(page.url, checks)).claims()).toMatchObject({ acr: ACR[1] });
  });

  it('a level may be asked for among other claims', async () => {
    await running({});
    const person = await gatehouse.person();
    const claims = JSON.stringify({ id_token: { email: null, acr: { value: ACR[1] } }, userinfo: { email: null } });
    const { page, checks } = await signIn(person, { scope: 'openid', claims });
    const tokens = await rp.redeem(page.url, checks);
    expect(tokens.claims()).toMatchObject({ acr: ACR[1], email: person.email });
  });
});

describe('mail and second factors', () => {
  let stop: () => Promise<void>;
  afterEach(async () => {
    backToNow();
    await stop();
  });

  it('a mailed code stands in where the policy allows', async () => {
    const { gatehouse, mail, stop: end } = await startWithMail({ GATEHOUSE_FACTORS_MAILED_CODE: 'true' });
    stop = end;
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const browser = new Browser(gatehouse.issuer);
    const person = await gatehouse.person();
    await withApp(gatehouse, person);
    const { page, checks } = await start(rp, browser);
    const second = await enterPassword(browser, page, person);
    const ask = await browser.open(linkNamed(second, 'Get a code by mail'));
    expect(ask.text).toContain(`We send a code to ${person.email[0]}…@example.com.`);
    const sent = await browser.submit(ask, {}, '/mail');
    const { code, subject } = await mail.waitFor(person.email, /Your code/);
    expect(subject).toBe('Your code for Gatehouse');
    expect(alertText(await browser.submit(sent, { code: code === '000000' ? '111111' : '000000' }))).toContain(
      'not right',
    );
    const done = await browser.submit(sent, { code });
    expect((await rp.redeem(done.url, checks)).claims()).toMatchObject({ acr: ACR[2], amr: ['pwd', 'otp', 'mfa'] });
  });

  it('a new password does not take the second factor away', async () => {
    const { gatehouse, mail, stop: end } = await startWithMail();
    stop = end;
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const browser = new Browser(gatehouse.issuer);
    const person = await gatehouse.person();
    const { secret } = await withApp(gatehouse, person);
    const page = await begin(rp, browser);
    await browser.submit(await browser.open(linkNamed(page, 'Forgot your password?')), { email: person.email });
    const { link } = await mail.waitFor(person.email, /new password/);
    await pressButton(browser, link, { password: 'a whole new pass phrase' });
    const again = await browser.open(page.url.pathname.replace(/\/sign-in$/, '') + '/check-mail/continue');
    expect(heading(again)).toBe(PROVE);
    // The mailbox that reset the password is no second factor to itself.
    expect(linkNamed(again, 'Get a code by mail')).toBe('');
    expect(arrived(await enterCode(browser, again, secret))).toBe(true);
  });

  it('an account that was never proved loses its factors to whoever proves it', async () => {
    const { gatehouse, mail, stop: end } = await startWithMail();
    stop = end;
    const rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    const planted = await gatehouse.person({ email: 'victim@example.com', email_verified: false });
    await withApp(gatehouse, planted);
    const browser = new Browser(gatehouse.issuer);
    const page = await begin(rp, browser);
    await browser.submit(await browser.open(linkNamed(page, 'Forgot your password?')), { email: 'victim@example.com' });
    const { link } = await mail.waitFor('victim@example.com', /new password/);
    await pressButton(browser, link, { password: 'a whole new pass phrase' });
    expect(await gatehouse.factors.of(planted.sub)).toEqual({ totp: false, passkeys: 0, recovery_codes_left: 0 });
  });
});

describe('an account that is deleted', () => {
  it('takes its factors along', async () => {
    const gatehouse = await startGatehouse();
    const person = await gatehouse.person();
    await withApp(gatehouse, person);
    await gatehouse.access.remove(person.sub);
    expect(await gatehouse.storage.factors.find(person.sub)).toBeUndefined();
    await gatehouse.stop();
  });
});
