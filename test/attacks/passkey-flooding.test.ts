/** Nobody guesses a passkey, but every answer takes time to check: so many that do not hold, and there is a pause. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../support/browser.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import {
  alertText,
  atOnce,
  backToNow,
  begin,
  browserFor,
  enterPassword,
  heading,
  linkNamed,
  passTime,
} from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import { createPasskey, usePasskey, withPasskey } from '../support/passkeys.ts';
import { browserOn, openAccount } from '../support/portal.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const TRIES = 6;

describe('passkeys that do not hold', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let device: Authenticator;
  let browser: Browser;
  beforeEach(async () => {
    gatehouse = await startGatehouse({
      GATEHOUSE_LIMITS_PASSKEY_ADDRESS: String(TRIES),
      GATEHOUSE_LIMITS_PASSKEY_ACCOUNT_AND_ADDRESS: String(TRIES),
    });
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
    person = await gatehouse.person();
    device = await withPasskey(gatehouse, person);
    browser = browserFor(rp);
  });
  afterEach(async () => {
    backToNow();
    await gatehouse.stop();
  });
  const counted = (pages: { status: number }[], status: number) =>
    pages.filter((page) => page.status === status).length;

  it('are looked at so many times, at once or in a row; passwords are not concerned', async () => {
    const answers = await atOnce(TRIES + 10, async () => {
      const own = browserFor(rp);
      return usePasskey(own, await begin(rp, own), device, { foreignKey: true });
    });
    expect([counted(answers, 401), counted(answers, 429)]).toEqual([TRIES, 10]);
    const right = await usePasskey(browser, await begin(rp, browser), device);
    expect([right.status, alertText(right)]).toEqual([429, expect.stringContaining('Too many tries')]);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await enterPassword(browser, await begin(rp, browser), person)).status).toBe(0);
    passTime(61);
    const own = browserFor(rp);
    expect((await usePasskey(own, await begin(rp, own), device)).status).toBe(0);
  });

  it('as a second step are counted for the account', async () => {
    const asked = await enterPassword(browser, await begin(rp, browser, { acr_values: 'urn:gatehouse:acr:2' }), person);
    let last = asked;
    for (let index = 0; index <= TRIES; index += 1)
      last = await usePasskey(browser, asked, device, { foreignKey: true });
    expect([last.status, alertText(last)]).toEqual([429, expect.stringContaining('Too many tries')]);
  });

  it('on the way to a sign-in, where one is added, are refused after as many', async () => {
    const other = await gatehouse.person();
    const page = await enterPassword(browser, await begin(rp, browser, { acr_values: 'urn:gatehouse:acr:2' }), other);
    let last = page;
    for (let index = 0; index <= TRIES; index += 1)
      last = await createPasskey(browser, page, new Authenticator(gatehouse.issuer), { userVerified: false });
    expect([last.status, heading(last)]).toEqual([429, 'That was too often']);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await gatehouse.passkeys!.list(other.sub)).toEqual([]);
  });

  it('on the account page are refused after as many', async () => {
    const other = await gatehouse.person();
    const own = browserOn(gatehouse.issuer, 'laptop');
    const page = await openAccount(own, other, '/passkeys/add');
    let last = page;
    for (let index = 0; index <= TRIES; index += 1)
      last = await createPasskey(own, page, new Authenticator(gatehouse.issuer), { userVerified: false });
    expect([last.status, alertText(last)]).toEqual([429, expect.stringContaining('Too many tries')]);
    expect(linkNamed(last, 'Leave things as they are')).not.toBe('');
    expect(await gatehouse.passkeys!.list(other.sub)).toEqual([]);
  });
});
