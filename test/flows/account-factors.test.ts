/** Passkeys, authenticator app, recovery codes and remembered devices on a person's own page. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../support/authenticator.ts';
import { Browser } from '../support/browser.ts';
import type { Page } from '../support/browser.ts';
import { enterCode, shownCodes, shownSecret, withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  alertText,
  backToNow,
  begin,
  enterPassword,
  fieldValue,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import { createPasskey, optionsOf, sendAnswer, usePasskey, withPasskey } from '../support/passkeys.ts';
import { browserOn, openAccount, rows, statusText } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

let gatehouse: Running;
let rp: RelyingParty;
let person: Person;
let browser: Browser;
const start = async (env: Record<string, string> = {}) => {
  gatehouse = await startGatehouse(env);
  rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
};
const fresh = async () => {
  person = await gatehouse.person();
  browser = browserOn(gatehouse.issuer, 'laptop');
};
const noPassword = async () => {
  const account = await gatehouse.storage.accounts.find(person.sub);
  await gatehouse.storage.accounts.update({ ...account!, password_hash: null });
};
const has = () => gatehouse.factors.of(person.sub);
/** Proves the second factor that a page asks for before it goes on. */
const confirm = (page: Page, secret: string) => enterCode(browser, page, secret);

afterEach(backToNow);

describe('on the account page', () => {
  beforeAll(() => start());
  afterAll(() => gatehouse.stop());
  beforeEach(fresh);

  describe('passkeys', () => {
    const add = async (device = new Authenticator(gatehouse.issuer)) =>
      createPasskey(browser, await openAccount(browser, person, '/passkeys/add'), device);

    it('are added, named, and sign in', async () => {
      const device = new Authenticator(gatehouse.issuer, { aaguid: 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4' });
      const empty = await openAccount(browser, person, '/passkeys');
      expect(empty.text).toContain('No passkeys yet');
      const added = await add(device);
      expect(statusText(added)).toBe('Google Password Manager is added. You can sign in with it from now on.');
      expect(rows(added)[0]).toMatch(/^Google Password Manager Synced Added .*20\d\d · not used yet Rename Remove$/);
      const renaming = await browser.open(linkNamed(added, 'Rename'));
      expect(fieldValue(renaming, 'name')).toBe('Google Password Manager');
      const renamed = await browser.submit(renaming, { name: ' My phone ' }, '/rename');
      expect(statusText(renamed)).toBe('The passkey is called My phone now.');
      expect(rows(await browser.open('/account/activity')).join()).toContain('Passkey renamed: My phone');
      const phone = new Browser(gatehouse.issuer);
      expect(heading(await usePasskey(phone, await phone.open('/account/passkeys'), device))).toBe('Passkeys');
      expect(rows(await phone.open('/account/passkeys'))[0]).toMatch(/^My phone .* last used .*20\d\d/);
    });

    it('are not given an empty or endless name', async () => {
      const page = await browser.open(linkNamed(await add(), 'Rename'));
      const empty = await browser.submit(page, { name: '  ' }, '/rename');
      expect([empty.status, alertText(empty)]).toEqual([400, 'Enter a name.']);
      const long = await browser.submit(page, { name: 'x'.repeat(61) }, '/rename');
      expect([alertText(long), fieldValue(long, 'name')]).toEqual([
        'The name is too long. Use at most 60 characters.',
        'x'.repeat(61),
      ]);
    });

    it('are removed after a look at what that means', async () => {
      await add();
      const page = await browser.open(linkNamed(await browser.open('/account/passkeys'), 'Remove'));
      expect(heading(page)).toBe('Remove passkey');
      const done = await browser.submit(page, {}, '/remove');
      expect([statusText(done), (await has()).passkeys]).toEqual(['Passkey is removed.', 0]);
      expect(rows(await browser.open('/account/activity'))[0]).toContain('Passkey removed: Passkey');
    });

    it('stay where one is the only way in', async () => {
      await openAccount(browser, person);
      await createPasskey(browser, await browser.open('/account/passkeys/add'), new Authenticator(gatehouse.issuer));
      await noPassword();
      const page = await browser.open(linkNamed(await browser.open('/account/passkeys'), 'Remove'));
      expect(page.text).toContain('is the only way into your account');
      expect(page.html.querySelector('form[action$="/remove"]')).toBeNull();
      const _csrf = fieldValue(page, '_csrf');
      const sent = await browser.open(page.url, { method: 'POST', body: new URLSearchParams({ _csrf }) });
      expect([sent.status, (await has()).passkeys]).toEqual([200, 1]);
      expect(statusText(sent)).toContain('is the only way into your account');
    });

    it('say honestly what they need where there is no script', async () => {
      const page = await openAccount(browser, person, '/passkeys/add');
      expect(page.html.querySelector('noscript')!.text).toContain('needs JavaScript');
      expect(page.html.querySelector('form[data-passkey]')!.hasAttribute('hidden')).toBe(true);
    });

    it('that do not hold are refused in words, and the challenge is spent', async () => {
      const page = await openAccount(browser, person, '/passkeys/add');
      const lie = await createPasskey(browser, page, new Authenticator(gatehouse.issuer), { userVerified: false });
      expect([lie.status, alertText(lie)]).toEqual([400, expect.stringContaining('could not be checked')]);
      const nonsense = await browser.submit(page, { credential: 'x' }, '/passkeys/add');
      expect([nonsense.status, (await has()).passkeys]).toEqual([400, 0]);
    });

    it('go to nobody but the session that asked', async () => {
      const device = new Authenticator(gatehouse.issuer);
      const phone = browserOn(gatehouse.issuer, 'phone');
      const [here, there] = [
        await openAccount(browser, person, '/passkeys/add'),
        await openAccount(phone, person, '/passkeys/add'),
      ];
      const answer = device.create(await optionsOf(browser, here));
      const elsewhere = await sendAnswer(phone, there, answer);
      expect([elsewhere.status, alertText(elsewhere)]).toEqual([400, expect.stringContaining('took too long')]);
      expect(statusText(await sendAnswer(browser, here, answer))).toContain('is added');
      expect((await sendAnswer(browser, here, answer)).status).toBe(400);
    });

    it('come with a word about recovery codes where there are none', async () => {
      const page = await add();
      expect(page.text).toContain('If you lose your device, recovery codes let you in. You have none.');
      expect(heading(await browser.open(linkNamed(page, 'Make recovery codes')))).toBe('Recovery codes');
    });
  });

  describe('the authenticator app', () => {
    const setUp = async () => {
      const page = await openAccount(browser, person, '/authenticator/add');
      return browser.submit(page, { code: await codeOf(shownSecret(page)) }, '/authenticator/add');
    };

    it('is set up by a first code, with recovery codes that are shown once', async () => {
      const empty = await openAccount(browser, person, '/authenticator');
      expect(empty.text).toContain('No authenticator app');
      const page = await browser.open(linkNamed(empty, 'Set up an app'));
      expect(page.html.querySelector('.gh-qr svg')).not.toBeNull();
      const secret = shownSecret(page);
      const wrong = await browser.submit(page, { code: '000000' }, '/authenticator/add');
      expect([wrong.status, alertText(wrong), shownSecret(wrong)]).toEqual([
        400,
        expect.stringContaining('not right'),
        secret,
      ]);
      const codes = await browser.submit(wrong, { code: await codeOf(secret) }, '/authenticator/add');
      expect([heading(codes), shownCodes(codes).length]).toEqual(['Your recovery codes', 10]);
      expect(codes.headers.get('cache-control')).toBe('no-store');
      const page2 = await browser.open(linkNamed(codes, 'I have put them away'));
      expect(rows(page2)[0]).toContain('Authenticator app On Set up');
      expect(shownCodes(await browser.open('/account/recovery-codes'))).toEqual([]);
      const other = new Browser(gatehouse.issuer);
      const asked = await enterPassword(other, await begin(rp, other), person);
      expect(heading(asked)).toBe('Confirm it is you');
    });

    it('takes the place of an older one, which the person has to prove first; its codes stay', async () => {
      const { secret, codes } = await withApp(gatehouse, person);
      const asked = await openAccount(browser, person, '/authenticator/add');
      expect(heading(asked)).toBe('Confirm it is you');
      const page = await confirm(asked, secret);
      expect(page.text).toContain('stops working once you confirm the new one');
      const next = shownSecret(page);
      const done = await browser.submit(page, { code: await codeOf(next) }, '/authenticator/add');
      expect(statusText(done)).toBe('Your authenticator app is set up.');
      passTime(60);
      expect(await gatehouse.factors.useTotp(person.sub, await codeOf(secret))).toBe(false);
      expect(await gatehouse.factors.useTotp(person.sub, await codeOf(next))).toBe(true);
      expect(await gatehouse.factors.useRecoveryCode(person.sub, codes[0]!)).toBe(true);
    });

    it('is removed, and recovery codes with it where it was the last', async () => {
      await setUp();
      const page = await browser.open(linkNamed(await browser.open('/account/authenticator'), 'Remove'));
      expect(page.text).toContain('your recovery codes go with it');
      const done = await browser.submit(page, {}, '/authenticator/remove');
      expect(statusText(done)).toBe('The authenticator app is removed.');
      expect(await has()).toEqual({ totp: false, passkeys: 0, recovery_codes_left: 0 });
      const types = rows(await browser.open('/account/activity')).join('\n');
      expect(types).toContain('Authenticator app removed');
      expect(types).toContain('Authenticator app added');
    });

    it('does not take a code twice, nor after a while', async () => {
      const page = await openAccount(browser, person, '/authenticator/add');
      const code = await codeOf(shownSecret(page));
      await browser.submit(page, { code }, '/authenticator/add');
      const again = await browser.submit(page, { code }, '/authenticator/add');
      expect([again.status, heading(again), statusText(again)]).toEqual([
        200,
        'Authenticator app',
        'Your authenticator app is set up.',
      ]);
      expect((await has()).recovery_codes_left).toBe(10);
    });
  });

  describe('recovery codes', () => {
    it('are counted, with a warning when few are left, and made anew', async () => {
      const { secret, codes } = await withApp(gatehouse, person);
      const home = await confirm(await openAccount(browser, person), secret);
      expect(home.text).toContain('Recovery codes left');
      const page = await browser.open('/account/recovery-codes');
      expect(rows(page)[0]).toMatch(/^10 codes are left Made .*20\d\d$/);
      for (const code of codes.slice(0, 7)) await gatehouse.factors.useRecoveryCode(person.sub, code);
      const few = await browser.open('/account/recovery-codes');
      expect(rows(few)[0]).toContain('3 codes are left Few left');
      expect((await browser.open('/account')).text).toContain('Few left');
      const made = await browser.submit(few, {}, '/recovery-codes');
      const fresh_codes = shownCodes(made);
      expect(fresh_codes).toHaveLength(10);
      expect(await gatehouse.factors.useRecoveryCode(person.sub, codes[8]!)).toBe(false);
      const reloaded = await browser.submit(few, {}, '/recovery-codes');
      expect([shownCodes(reloaded), statusText(reloaded)]).toEqual([
        [],
        expect.stringContaining('New codes were made already'),
      ]);
      expect(await gatehouse.factors.useRecoveryCode(person.sub, fresh_codes[0]!)).toBe(true);
      const told = rows(await browser.open('/account/activity')).join('\n');
      expect(told).toContain('A recovery code was used; 9 are left');
      expect(told).toContain('New recovery codes made');
    });

    it('stand in for something: without a factor there are none to make', async () => {
      const page = await openAccount(browser, person, '/recovery-codes');
      expect(page.text).toContain('Set one of these up first');
      const _csrf = fieldValue(page, '_csrf');
      await browser.open(page.url, { method: 'POST', body: new URLSearchParams({ _csrf }) });
      expect((await has()).recovery_codes_left).toBe(0);
    });
  });

  describe('remembered devices', () => {
    it('are listed with this one first, and forgotten one by one or all', async () => {
      const { secret } = await withApp(gatehouse, person);
      for (const device of ['phone', 'laptop'] as const) {
        browser = browserOn(gatehouse.issuer, device);
        const asked = await openAccount(browser, person, '/remembered');
        await enterCode(browser, asked, secret, { remember: 'yes' });
      }
      const page = await browser.open('/account/remembered');
      const [first, second] = rows(page);
      expect(first).toMatch(/^Firefox, Windows This device Since .* last used .* Until .*Forget$/);
      expect(second).toMatch(/^Safari, iOS Since/);
      const one = await browser.submit(page, {}, '/forget');
      expect([statusText(one), rows(one).length]).toEqual(['That device asks for the second step again.', 1]);
      const all = await browser.submit(one, {}, '/remembered/forget');
      expect([statusText(all), all.text.includes('No remembered devices')]).toEqual([
        'All devices ask for the second step again.',
        true,
      ]);
      const told = rows(await browser.open('/account/activity')).join('\n');
      expect(told).toContain('A remembered device was forgotten');
      expect(told).toContain('All remembered devices were forgotten');
    });
  });
});

describe('where a second factor is required', () => {
  beforeAll(() => start({ GATEHOUSE_FACTORS_POLICY: 'required' }));
  afterAll(() => gatehouse.stop());
  beforeEach(fresh);

  it('the last one stays, app or passkey, and is only exchanged', async () => {
    const { secret } = await withApp(gatehouse, person);
    const page = await confirm(await openAccount(browser, person, '/authenticator/remove'), secret);
    expect(page.text).toContain('this app is your last one');
    expect(page.html.querySelector('form[action$="/remove"]')).toBeNull();
    const body = () => new URLSearchParams({ _csrf: fieldValue(page, '_csrf') });
    const sent = await browser.open('/account/authenticator/remove', { method: 'POST', body: body() });
    expect([statusText(sent), (await has()).totp]).toEqual([expect.stringContaining('your last one'), true]);

    await createPasskey(browser, await browser.open('/account/passkeys/add'), new Authenticator(gatehouse.issuer));
    const away = await browser.submit(await browser.open('/account/authenticator/remove'), {}, '/remove');
    expect(statusText(away)).toBe('The authenticator app is removed.');
    const kept = await browser.open(linkNamed(await browser.open('/account/passkeys'), 'Remove'));
    expect(kept.text).toContain('this passkey is your last one');
  });
});

describe('what is switched off', () => {
  afterEach(() => gatehouse.stop());

  it('has no page: passkeys', async () => {
    await start({ GATEHOUSE_PASSKEYS_ENABLED: 'false' });
    await fresh();
    const home = await openAccount(browser, person);
    expect(linkNamed(home, 'Passkeys')).toBe('');
    expect((await browser.open('/account/passkeys')).status).toBe(404);
    expect(linkNamed(home, 'Authenticator app')).not.toBe('');
  });

  it('has no page: second factors', async () => {
    await start({ GATEHOUSE_FACTORS_POLICY: 'off' });
    await fresh();
    await withPasskey(gatehouse, person);
    const home = await openAccount(browser, person);
    for (const name of ['Authenticator app', 'Recovery codes', 'Remembered devices'])
      expect(linkNamed(home, name)).toBe('');
    expect((await browser.open('/account/authenticator')).status).toBe(404);
    expect((await browser.open('/account/passkeys')).text).not.toContain('recovery codes');
  });

  it('has no page: remembering devices', async () => {
    await start({ GATEHOUSE_FACTORS_REMEMBER_DEVICE: '0' });
    await fresh();
    expect(linkNamed(await openAccount(browser, person), 'Remembered devices')).toBe('');
  });
});
