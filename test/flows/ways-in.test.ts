/** Nobody loses the last way into their account, whichever way it is taken by. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Running } from '../support/gatehouse.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Person } from '../support/journey.ts';
import { withPasskey } from '../support/passkeys.ts';
import { browserOn, openAccount, statusText } from '../support/portal.ts';
import { startWithUpstreams } from '../support/upstream.ts';

const GOOGLE = { google: { client_id: 'x', client_secret: 'y' } };

describe('the last way into an account', () => {
  let gatehouse: Running;
  let person: Person;
  afterEach(() => gatehouse.stop());

  async function start(env: Record<string, string> = {}) {
    gatehouse = await startWithUpstreams(GOOGLE, env);
    person = await gatehouse.person();
  }
  async function connect(provider: string) {
    const identity = {
      provider,
      issuer: `https://${provider}.example`,
      subject: person.sub,
      account_id: person.sub,
      email: null,
      created_at: '2026-01-02T03:04:05.000Z',
      last_used_at: '2026-02-03T04:05:06.000Z',
    };
    await gatehouse.storage.identities.insert(identity);
    return identity;
  }
  async function forgetPassword() {
    const account = await gatehouse.storage.accounts.find(person.sub);
    await gatehouse.storage.accounts.update({ ...account!, password_hash: null });
  }
  const removePasskey = async () => {
    const [passkey] = await gatehouse.passkeys!.list(person.sub);
    return gatehouse.passkeys!.remove(person.sub, passkey!.credential_id);
  };
  const waysLeft = async () =>
    (await gatehouse.storage.passkeys.listByAccount(person.sub)).length +
    (await gatehouse.storage.identities.listByAccount(person.sub)).length;

  describe('where passkeys are used', () => {
    beforeEach(() => start());

    it('is not a passkey where an account elsewhere signs in too', async () => {
      await withPasskey(gatehouse, person);
      await forgetPassword();
      await expect(removePasskey()).rejects.toMatchObject({ code: 'conflict' });
      await connect('google');
      await removePasskey();
      expect(await gatehouse.passkeys!.list(person.sub)).toEqual([]);
    });

    it('is a passkey where the provider of the other account is not configured any more', async () => {
      await withPasskey(gatehouse, person);
      await connect('gone');
      await forgetPassword();
      await expect(removePasskey()).rejects.toMatchObject({ code: 'conflict' });
    });

    it('stays where a passkey and an account elsewhere are taken away at the same moment', async () => {
      await withPasskey(gatehouse, person);
      const browser = browserOn(gatehouse.issuer, 'laptop');
      await openAccount(browser, person);
      await connect('google');
      await forgetPassword();
      const page = await browser.open('/account/providers');
      await Promise.allSettled([removePasskey(), browser.submit(page, {}, '/disconnect')]);
      expect(await waysLeft()).toBeGreaterThan(0);
    });
  });

  it('is the account elsewhere where passkeys are switched off', async () => {
    await start({ GATEHOUSE_PASSKEYS_ENABLED: 'false' });
    const other = await startGatehouse();
    const device = await withPasskey(other, await other.person());
    await other.stop();
    const browser = browserOn(gatehouse.issuer, 'laptop');
    await openAccount(browser, person);
    await gatehouse.storage.passkeys.insert({
      credential_id: device.passkeys[0]!.id,
      account_id: person.sub,
      public_key: 'x',
      counter: 0,
      transports: [],
      synced: true,
      backed_up: true,
      aaguid: '',
      name: 'Phone',
      created_at: '2026-01-02T03:04:05.000Z',
      last_used_at: null,
    });
    await connect('google');
    await forgetPassword();
    const page = await browser.open('/account/providers');
    expect(page.text).toContain('This is the only way into your account.');
    expect((await gatehouse.factors.of(person.sub)).passkeys).toBe(0);
    expect(statusText(page)).toBe('');
  });
});
