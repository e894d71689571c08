import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { alertText, atOnce, begin, browserFor } from '../support/journey.ts';
import type { Authenticator, Lie } from '../support/passkey-authenticator.ts';
import { optionsOf, sendAnswer, usePasskey, withPasskey } from '../support/passkeys.ts';
import { relyingParty } from '../support/relying-party.ts';
import type { RelyingParty } from '../support/relying-party.ts';

describe('the counter of a passkey', () => {
  let gatehouse: Running;
  let rp: RelyingParty;
  beforeAll(async () => {
    gatehouse = await startGatehouse();
    rp = await relyingParty(gatehouse, await gatehouse.app({ first_party: true }));
  });
  afterAll(() => gatehouse.stop());

  const signIn = async (device: Authenticator, lie?: Lie) => {
    const browser = browserFor(rp);
    return usePasskey(browser, await begin(rp, browser), device, lie);
  };
  const warnings = () => gatehouse.logged.filter(({ event }) => event === 'passkey_counter');

  it('that goes back, or stands still, is refused and logged; the passkey itself goes on', async () => {
    const person = await gatehouse.person();
    const device = await withPasskey(gatehouse, person, { synced: false });
    expect((await signIn(device, { counter: 7 })).status).toBe(0);
    for (const counter of [7, 6, 0]) {
      const before = warnings().length;
      const refused = await signIn(device, { counter });
      expect([refused.status, alertText(refused)]).toEqual([401, expect.stringContaining('could not be checked')]);
      expect(warnings().slice(before)).toMatchObject([{ account_id: person.sub, seen: counter, known: 7 }]);
    }
    const { items } = await gatehouse.audit.listByAccount(person.sub, {});
    expect(items.filter(({ type }) => type === 'passkey_copied')).toHaveLength(3);
    expect(JSON.stringify(warnings())).not.toContain(person.email);
    expect(await gatehouse.passkeys!.list(person.sub)).toMatchObject([{ counter: 7 }]);
    expect((await signIn(device, { counter: 8 })).status).toBe(0);
  });

  it('raises no alarm by who does not have the key', async () => {
    const device = await withPasskey(gatehouse, await gatehouse.person(), { synced: false });
    await signIn(device, { counter: 7 });
    const before = warnings().length;
    expect((await signIn(device, { counter: 1, foreignKey: true })).status).toBe(401);
    expect(warnings()).toHaveLength(before);
  });

  it('of two copies that sign at the same moment lets one in', async () => {
    const device = await withPasskey(gatehouse, await gatehouse.person(), { synced: false });
    const journeys = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const browser = browserFor(rp);
        const page = await begin(rp, browser);
        return { browser, page, answer: device.get(await optionsOf(browser, page), { counter: 5 }) };
      }),
    );
    const pages = await atOnce(10, (index) => {
      const { browser, page, answer } = journeys[index]!;
      return sendAnswer(browser, page, answer);
    });
    expect(pages.filter(({ status }) => status === 0)).toHaveLength(1);
  });

  it('that is always 0, as of synced passkeys, is no reason to refuse', async () => {
    const device = await withPasskey(gatehouse, await gatehouse.person());
    for (let time = 0; time < 3; time += 1) expect((await signIn(device)).status).toBe(0);
  });
});
