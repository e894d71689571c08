/** Refreshes and exchanges of codes that meet or go wrong halfway, the usual ones and those of which something is special. */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFile } from '../storage/support/temporary-file.ts';
import { bothCodes } from '../support/both-codes.ts';
import { UNUSUAL, USUAL } from '../support/both-ways.ts';
import type { Beside } from '../support/both-ways.ts';
import { as } from '../support/endpoints.ts';
import type { Fields } from '../support/endpoints.ts';
import { startGatehouse } from '../support/gatehouse.ts';
import type { Running } from '../support/gatehouse.ts';
import { atOnce, backToNow, passTime } from '../support/journey.ts';
import { relyingParty } from '../support/relying-party.ts';

const WAYS: [string, Fields][] = [
  ['as usual', {}],
  ['with a parameter that means nothing', { x: '1' }],
];

const SIGNER = path.resolve(import.meta.dirname, '../support/signer-that-waits.ts');
beforeEach(() => passTime(0));
afterEach(() => {
  vi.unstubAllEnvs();
  backToNow();
});

/** Both have read the token before either puts another in its place, as both wait for a signature. */
describe('two refreshes at the same moment', () => {
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

async function chainsStored({ storage }: Running): Promise<number> {
  const all = await storage.protocol.listInOrder('', 1000);
  return all.filter(({ kind }) => kind === 'RefreshToken').length;
}

/** Both have read the code before either uses it up, as both wait for a signature. */
it('two usual exchanges of one code at the same moment are one winner, whose tokens die, and one who is refused', async () => {
  const gatehouse = await startGatehouse({ GATEHOUSE_KEYS_SIGNER: SIGNER });
  const both = await bothCodes(gatehouse);
  const code = await both.one();
  vi.stubEnv('SIGNER_WAITS_FOR_TWO', 'yes');
  const answers = await atOnce(2, () => both.exchange(code, USUAL));
  vi.stubEnv('SIGNER_WAITS_FOR_TWO', undefined);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  await both.expectDead(answers.find(({ status }) => status === 200)!);
  expect(await chainsStored(gatehouse)).toBe(0);
  await gatehouse.stop();
});

describe('an exchange of a code of which one write fails', () => {
  const failing = (write: string, kind: string) =>
    `CREATE TRIGGER full BEFORE ${write} ON protocol_records WHEN NEW.kind = '${kind}' BEGIN SELECT RAISE(ABORT, 'no room'); END`;

  /** @returns the statuses of an exchange that fails, and of another try. */
  async function tryTwice(beside: Beside, trigger: string): Promise<number[]> {
    const { file, remove } = temporaryFile();
    const gatehouse = await startGatehouse({ GATEHOUSE_STORAGE_URL: `sqlite:${file}` });
    const both = await bothCodes(gatehouse);
    const code = await both.one();
    const other = new DatabaseSync(file);
    other.exec(trigger);
    const failed = await both.exchange(code, beside);
    other.exec('DROP TRIGGER full');
    other.close();
    const again = await both.exchange(code, beside);
    await gatehouse.stop();
    remove();
    return [failed.status, again.status];
  }

  it.each([USUAL, UNUSUAL])('leaves the code good where that is its use: form %o', async (beside) => {
    expect(await tryTwice(beside, failing('UPDATE OF consumed_at', 'AuthorizationCode'))).toEqual([500, 200]);
  });

  it.each([USUAL, UNUSUAL])('uses the code up where that is the refresh token: form %o', async (beside) => {
    expect(await tryTwice(beside, failing('INSERT', 'RefreshToken'))).toEqual([500, 400]);
  });
});
