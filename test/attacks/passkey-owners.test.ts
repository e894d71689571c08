import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, begin, browserFor, enterPassword, heading } from '../support/journey.ts';
import { Authenticator } from '../support/passkey-authenticator.ts';
import type { Options } from '../support/passkey-authenticator.ts';
import {
  createPasskey,
  deviceCanMakePasskeys,
  optionsOf,
  sendAnswer,
  usePasskey,
  withPasskey,
} from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('a passkey of somebody else', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => gatehouse.stop());

  const handleOf = (sub: string) => Buffer.from(sub).toString('base64url');

  it('opens nobody’s account by saying whose it is', async () => {
    const [ada, mallory] = [await gatehouse.person(), await gatehouse.person()];
    await withPasskey(gatehouse, ada);
    const device = await withPasskey(gatehouse, mallory);
    const browser = browserFor(rp);
    const page = await begin(rp, browser);
    for (const userHandle of [handleOf(ada.sub), handleOf('usr_unknown'), null])
      expect((await usePasskey(browser, page, device, { userHandle })).status).toBe(401);
  });

  it('opens nobody’s account by taking the name of another passkey', async () => {
    const [ada, mallory] = [await gatehouse.person(), await gatehouse.person()];
    const hers = await withPasskey(gatehouse, ada);
    const device = await withPasskey(gatehouse, mallory);
    const browser = browserFor(rp);
    const page = await begin(rp, browser);
    const { id } = hers.passkeys[0]!;
    for (const userHandle of [handleOf(ada.sub), handleOf(mallory.sub)])
      expect((await usePasskey(browser, page, device, { id, userHandle })).status).toBe(401);
  });

  it('confirms nobody but its own person', async () => {
    const [ada, mallory] = [await gatehouse.person(), await gatehouse.person()];
    await withPasskey(gatehouse, ada);
    const device = await withPasskey(gatehouse, mallory);
    const passkeys = gatehouse.passkeys!;
    const asked = (await passkeys.confirmOptions('b', ada.sub)) as Options;
    expect(asked.allowCredentials).toHaveLength(1);
    const answer = () => device.get({ ...asked, allowCredentials: [] });
    expect(await passkeys.confirm('b', ada.sub, answer())).toEqual({ problem: 'unknown' });
    const own = (await passkeys.confirmOptions('b', mallory.sub)) as Options;
    expect(await passkeys.confirm('b', ada.sub, device.get(own))).toEqual({ problem: 'stale' });
  });

  it('is not registered for another account than the one that asked', async () => {
    const [ada, mallory] = [await gatehouse.person(), await gatehouse.person()];
    const passkeys = gatehouse.passkeys!;
    const device = new Authenticator(gatehouse.issuer);
    const holder = { id: mallory.sub, email: mallory.email, name: 'M' };
    const answer = device.create((await passkeys.registrationOptions('b', holder)) as Options);
    expect(await passkeys.register('b', ada.sub, answer)).toEqual({ problem: 'stale' });
    expect(await passkeys.list(ada.sub)).toEqual([]);
  });

  it('is not added by who has proved nothing', async () => {
    const browser = browserFor(rp);
    const page = await begin(rp, browser);
    const csrf = page.html.querySelector('input[name=_csrf]')!.getAttribute('value')!;
    for (const path of ['add-passkey/options', 'add-passkey']) {
      const body = new URLSearchParams({ _csrf: csrf, credential: '{}' });
      const answer = await browser.open(`${page.url.pathname}/${path}`, { method: 'POST', body });
      expect(heading(answer)).toBe('Sign in to Acme Notes');
    }
  });

  it('that was asked for in one account is not added to the next one that signs in here', async () => {
    const [ada, mallory] = [await gatehouse.person(), await gatehouse.person()];
    const browser = browserFor(rp);
    await deviceCanMakePasskeys(browser, gatehouse.issuer);
    const start = await begin(rp, browser);
    const offer = await enterPassword(browser, start, mallory);
    const answer = new Authenticator(gatehouse.issuer).create(await optionsOf(browser, offer));
    const signIn = await browser.open(`${start.url.pathname}/sign-in`);
    expect(heading(await enterPassword(browser, signIn, ada))).toBe('Sign in faster next time');
    expect((await sendAnswer(browser, offer, answer)).status).toBe(400);
    for (const { sub } of [ada, mallory]) expect(await gatehouse.passkeys!.list(sub)).toEqual([]);
  });

  it('is not registered a second time, by anybody', async () => {
    const [ada, mallory] = [await gatehouse.person(), await gatehouse.person()];
    const { id } = (await withPasskey(gatehouse, ada)).passkeys[0]!;
    const browser = browserFor(rp);
    await deviceCanMakePasskeys(browser, gatehouse.issuer);
    const offer = await enterPassword(browser, await begin(rp, browser), mallory);
    const taken = await createPasskey(browser, offer, new Authenticator(gatehouse.issuer), { id });
    expect(taken.status).toBe(409);
    expect(await gatehouse.passkeys!.list(mallory.sub)).toEqual([]);
    expect(await gatehouse.passkeys!.list(ada.sub)).toMatchObject([{ credential_id: id, account_id: ada.sub }]);
  });

  it('registered by twenty accounts at once belongs to one of them', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => gatehouse.person()));
    const passkeys = gatehouse.passkeys!;
    const id = Buffer.from('the same for all').toString('base64url');
    const results = await atOnce(20, async (index) => {
      const { sub, email } = people[index]!;
      const asked = await passkeys.registrationOptions(sub, { id: sub, email, name: 'x' });
      return passkeys.register(sub, sub, new Authenticator(gatehouse.issuer).create(asked as Options, { id }));
    });
    expect(results.filter((result) => 'passkey' in result)).toHaveLength(1);
  });
});
