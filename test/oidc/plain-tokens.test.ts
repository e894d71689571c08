/** Refreshes that meet, the usual ones and those of which something is special. */
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { as } from '../support/endpoints.ts';
import type { Fields } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import { atOnce, backToNow, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const WAYS: [string, Fields][] = [
  ['as usual', {}],
  ['with a parameter that means nothing', { x: '1' }],
];

/** Both have read the token before either puts another in its place, as both wait for a signature. */
describe('two refreshes at the same moment', () => {
  const SIGNER = path.resolve(import.meta.dirname, '../support/signer-that-waits.ts');
  beforeEach(() => passTime(0));
  afterEach(() => {
    vi.unstubAllEnvs();
    backToNow();
  });

  async function twoAtOnce(grace: string, beside: Fields) {
    const env = { GATEHOUSE_KEYS_SIGNER: SIGNER, GATEHOUSE_LIFETIMES_REFRESH_TOKEN_GRACE: grace };
    const gatehouse = await startGatehouse(env);
    const app = await gatehouse.app({ first_party: true });
    const rp = await relyingParty(gatehouse, app);
    const scope = 'openid offline_access';
    const { refresh_token } = await rp.signIn(await gatehouse.person(), { scope });
    const refresh = (token: unknown) => as(gatehouse, app).refresh(String(token), beside);
    vi.stubEnv('SIGNER_WAITS_FOR_TWO', 'yes');
    const answers = await atOnce(2, () => refresh(refresh_token));
    vi.stubEnv('SIGNER_WAITS_FOR_TWO', undefined);
    return { gatehouse, refresh, answers };
  }

  it.each(WAYS)('both give the one successor within the window: %s', async (_way, beside) => {
    const { gatehouse, refresh, answers } = await twoAtOnce('10', beside);
    const [one, other] = answers.map(({ body }) => body['refresh_token']);
    expect([answers.map(({ status }) => status), other]).toEqual([[200, 200], one]);
    expect((await refresh(one)).status).toBe(200);
    await gatehouse.stop();
  });

  it.each(WAYS)(
    'are one winner, who goes on, and one who is refused, where there is no window: %s',
    async (_way, beside) => {
      const { gatehouse, refresh, answers } = await twoAtOnce('0', beside);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
      const winner = answers.find(({ status }) => status === 200)!;
      expect((await refresh(winner.body['refresh_token'])).status).toBe(200);
      await gatehouse.stop();
    },
  );
});
