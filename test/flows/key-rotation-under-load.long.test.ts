/** Two instances on one store, under load, while keys rotate every four seconds. `bench/rotation.ts` is the long version. */
import { expect, it } from 'vitest';
import { asksForAccess, FAST_KEYS, keyIds, refreshes, startTwo, verifyMeanwhile } from '../support/keys.ts';
import { relyingParty } from '../support/relying-party.ts';
import { MEASURED } from '../support/timing.ts';

const SECONDS = 14;

it(
  'no request fails and no signature, for an app that keeps the key set as long as it may',
  { timeout: 90_000, ...MEASURED },
  async () => {
    const { instances, stop } = await startTwo(FAST_KEYS);
    const [first] = instances;
    const api = await first.app({ type: 'api', name: 'Notes API', scope: 'notes:read' });
    const service = await first.app({ type: 'service', name: 'Nightly', scope: 'notes:read' });
    const app = await first.app({ first_party: true });
    const person = await first.person();
    const rp = await relyingParty(first, app);
    const { refresh_token } = await rp.signIn(person, { scope: 'openid offline_access' });

    const over = new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    const [access, ids] = await Promise.all([
      verifyMeanwhile(instances, 1, asksForAccess(first, service, api.resource!), over),
      verifyMeanwhile([first], 1, refreshes(first, app, refresh_token!), over),
    ]);
    expect({ access: access.failures, ids: ids.failures }).toEqual({ access: [], ids: [] });
    expect(access.requests + ids.requests).toBeGreaterThan(100);
    // ES256 for access, RS256 for ID tokens.
    expect(access.keys.size).toBeGreaterThanOrEqual(3);
    expect(ids.keys.size).toBeGreaterThanOrEqual(3);
    const { keys } = await first.keys.overview();
    expect(keys.some(({ state }) => state === 'removed')).toBe(true);
    await expect
      .poll(async () => (await keyIds(instances[0].origin)).join() === (await keyIds(instances[1].origin)).join())
      .toBe(true);
    await stop();
  },
);
