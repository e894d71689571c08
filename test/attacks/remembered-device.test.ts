import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACR } from '../../src/factors/levels.ts';
import { Browser } from '../support/browser.ts';
import { enterCode, withApp } from '../support/factors.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { backToNow, enterPassword, heading } from '../support/journey.ts';
import type { Person } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

const PROVE = 'Confirm it is you';

describe('whoever steals the mark of a remembered device', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  let person: Person;
  let secret: string;
  /** Name and value of the cookies that make the mark. */
  let stolen: [string, string][];
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => gatehouse.stop());
  beforeEach(async () => {
    person = await gatehouse.person();
    ({ secret } = await withApp(gatehouse, person));
    const browser = new Browser(gatehouse.issuer);
    const page = await enterPassword(browser, await browser.open((await rp.request()).url), person);
    await enterCode(browser, page, secret, { remember: 'on' });
    const { cookies } = await browser.jar.serialize();
    stolen = cookies
      .filter(({ key }) => key?.startsWith('gatehouse_remembered'))
      .map(({ key, value }) => [key!, String(value)]);
    expect(stolen).toHaveLength(2);
    expect(cookies.filter(({ key }) => key === 'gatehouse_remembered')[0]).toMatchObject({ httpOnly: true });
  });
  afterEach(() => backToNow());

  const asThief = async (who: Person, parameters: Record<string, string> = {}, cookies = stolen) => {
    const browser = new Browser(gatehouse.issuer);
    for (const [key, value] of cookies) await browser.jar.setCookie(`${key}=${value}; Path=/`, gatehouse.issuer);
    return enterPassword(browser, await browser.open((await rp.request(parameters)).url), who);
  };

  it('needs the password all the same, of that very account', async () => {
    expect((await asThief({ ...person, password: 'not the password' })).status).toBe(401);
    const other = await gatehouse.person();
    await withApp(gatehouse, other);
    expect(heading(await asThief(other))).toBe(PROVE);
    expect((await asThief(person)).status).toBe(0);
  });

  it('cannot make or change one: it is signed', async () => {
    const [, [sigName, sig]] = stolen as [[string, string], [string, string]];
    const forged: [string, string][] = [
      ['gatehouse_remembered', 'A'.repeat(22)],
      [sigName, sig],
    ];
    expect(heading(await asThief(person, {}, forged))).toBe(PROVE);
    expect(heading(await asThief(person, {}, [stolen[0]!]))).toBe(PROVE);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['the app was set up anew', () => withApp(gatehouse, person)],
    ['the device was removed', () => gatehouse.factors.devices.forgetAll(person.sub)],
    [
      'factors were reset and set up again',
      async () => {
        await gatehouse.access.resetFactors(person.sub);
        await withApp(gatehouse, person);
      },
    ],
    [
      'the app was removed and another one added',
      async () => {
        await gatehouse.factors.removeTotp(await gatehouse.accounts.get(person.sub));
        await withApp(gatehouse, person);
      },
    ],
    ['a passkey was added', () => gatehouse.factors.changed(person.sub)],
  ])('finds it dead once %s', async (_what, change) => {
    await change();
    expect(heading(await asThief(person))).toBe(PROVE);
  });

  it('does not step up by it, nor where a fresh proof or a passkey is wanted', async () => {
    for (const parameters of [{ prompt: 'login' }, { max_age: '3600' }, { prompt: 'select_account login' }])
      expect(heading(await asThief(person, parameters as Record<string, string>))).toBe(PROVE);
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: ACR[3] } } });
    expect(heading(await asThief(person, { claims }))).toBe(PROVE);
  });

  it('is not offered to add a passkey by it', async () => {
    const [name, value] = ['gatehouse_passkey_offer', 'able'];
    expect((await asThief(person, {}, [...stolen, [name, value]])).status).toBe(0);
  });
});
