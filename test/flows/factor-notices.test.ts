/** Whoever's second factors change hears of it by mail, and finds it on their account page. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../support/authenticator.ts';
import { Browser } from '../support/browser.ts';
import { shownSecret, withApp } from '../support/factors.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, begin, enterPassword, linkNamed } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import type { MailServer } from '../support/mail-server.ts';
import { startWithMail } from '../support/mailed.ts';
import type { WithMail } from '../support/mailed.ts';
import { withPasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('second factors that change', () => {
  let running: WithMail;
  let gatehouse: Running;
  let mail: MailServer;
  let rp: RelyingParty;
  let person: Person;
  let browser: Browser;
  beforeAll(async () => {
    running = await startWithMail();
    ({ gatehouse, mail } = running);
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => running.stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    browser = new Browser(gatehouse.issuer);
  });
  afterEach(backToNow);

  const noted = async () => {
    const { items } = await gatehouse.audit.listByAccount(person.sub, {});
    return items.map(({ type }) => type).filter((type) => type !== 'sign_in');
  };
  const mails = () => mail.mails.filter(({ to }) => to.includes(person.email)).map(({ subject }) => subject);

  it('in a sign-in are noted one by one, and told with where to look', async () => {
    const asked = await enterPassword(browser, await begin(rp, browser, { acr_values: 'urn:gatehouse:acr:2' }), person);
    await browser.submit(asked, { code: await codeOf(shownSecret(asked)) }, '/enrol');
    const letter = await mail.waitFor(person.email, /authenticator app was added/);
    expect(letter.link).toBe(`${gatehouse.issuer}/account/activity`);
    expect(await noted()).toEqual(['recovery_codes_renewed', 'totp_added']);
    // Codes that come with the app are no news of their own.
    expect(mails()).toEqual(['An authenticator app was added to your account']);
  });

  it('by a recovery code are told with what is left, the last one too', async () => {
    const { codes } = await withApp(gatehouse, person);
    const asked = await enterPassword(browser, await begin(rp, browser), person);
    const typing = await browser.open(linkNamed(asked, 'Use a recovery code'));
    await browser.submit(typing, { code: codes[0]! });
    expect((await mail.waitFor(person.email, /recovery code was used/)).text).toContain('9 are left');
    for (const code of codes.slice(1)) await gatehouse.factors.useRecoveryCode(person.sub, code);
    expect(await gatehouse.factors.useRecoveryCode(person.sub, codes[0]!)).toBe(false);
    const told: string[] = [];
    for (let index = 0; index < 9; index += 1)
      told.push(/code\. (.*)$/m.exec((await mail.waitFor(person.email, /code was used/)).text)![1]!);
    // Mails may overtake each other.
    expect(told.toSorted()).toEqual([
      ...[2, 3, 4, 5, 6, 7, 8].map((left) => `${left} are left.`),
      'It was the last one: make new ones.',
      'One is left.',
    ]);
    expect((await noted()).filter((type) => type === 'recovery_code_used')).toHaveLength(10);
  });

  it('that an admin resets are told', async () => {
    await withApp(gatehouse, person);
    await gatehouse.access.resetFactors(person.sub);
    expect((await mail.waitFor(person.email, /admin reset/)).text).toContain('signed out everywhere');
    expect((await noted())[0]).toBe('factors_reset');
  });

  it('passkeys, codes and remembered devices: each has one event and one mail', async () => {
    const { factors, passkeys } = gatehouse;
    await withPasskey(gatehouse, person);
    await mail.waitFor(person.email, /passkey was added/);
    await factors.renewRecoveryCodes(person.sub);
    await mail.waitFor(person.email, /codes were made anew/);
    for (const name of ['a', 'b', 'c']) await factors.devices.remember(person.sub, name);
    const [first] = await factors.devices.list(person.sub);
    await factors.devices.forget(person.sub, first!.id);
    await mail.waitFor(person.email, /remembered device was forgotten/);
    await factors.devices.forgetAll(person.sub);
    await mail.waitFor(person.email, /All remembered devices/);
    expect([await factors.devices.forget(person.sub, first!.id), await factors.devices.forgetAll(person.sub)]).toEqual([
      false,
      false,
    ]);
    const [passkey] = await passkeys!.list(person.sub);
    await passkeys!.remove(person.sub, passkey!.credential_id);
    await mail.waitFor(person.email, /passkey was removed/);
    expect(await noted()).toEqual([
      'passkey_removed',
      'devices_forgotten',
      'device_forgotten',
      'recovery_codes_renewed',
      'passkey_added',
    ]);
    expect(mails()).toHaveLength(5);
  });

  it('are told in the language of the person, not of the browser', async () => {
    const account = (await gatehouse.storage.accounts.find(person.sub))!;
    await gatehouse.storage.accounts.update({ ...account, claims: { locale: 'de' } });
    await withApp(gatehouse, person);
    expect((await mail.waitFor(person.email, /Authenticator/)).text).toContain('Mein Konto ansehen');
  });
});
