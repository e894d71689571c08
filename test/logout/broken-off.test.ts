/** A store that fails at any one step of a log-out: told and ended in the end, never told of what was not ended. */
import { afterEach, describe, expect, it } from 'vitest';
import { createVault } from '../../src/kernel/secrets.ts';
import { invalidInput, unavailable } from '../../src/kernel/errors.ts';
import { createEndings } from '../../src/logout/endings.ts';
import type { Endings } from '../../src/logout/endings.ts';
import { createQueue } from '../../src/logout/queue.ts';
import { startRunner } from '../../src/logout/runner.ts';
import { createSessionApps } from '../../src/logout/session-apps.ts';
import { createSealedRecords } from '../../src/protocol/sealed-records.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { MONGODB_TEST_URI, testDatabase } from '../storage/support/test-database.ts';
import { backToNow, passTime } from '../support/journey.ts';

const PERSON = 'usr_ada';
const APP = 'app_notes';
const OFFLINE = 'app_photos';
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined };

/** Lets a store work until the call numbered `at`, which it fails: before it does anything, or after. */
function failingAt(at: number, when: 'before' | 'after') {
  let calls = 0;
  let broken = true;
  const wrap = <T extends object>(store: T): T =>
    new Proxy(store, {
      get(target, name) {
        const method = Reflect.get(target, name) as (...given: unknown[]) => Promise<unknown>;
        return async (...given: unknown[]) => {
          calls += 1;
          const fails = broken && calls === at;
          if (fails && when === 'before') throw unavailable('the store does not answer');
          const result = await method.apply(target, given);
          if (fails) throw unavailable('the store does not answer');
          return result;
        };
      },
    });
  return { wrap, calls: () => calls, mend: () => (broken = false) };
}

const ENDS: [string, (endings: Endings) => Promise<unknown>, string[]][] = [
  ['one session', (endings) => endings.session({ sessionUid: 's1', cause: 'log_out' }), ['s1']],
  [
    'all other sessions',
    (endings) => endings.others({ accountId: PERSON, keep: 's2', cause: 'session_ended' }),
    ['s1'],
  ],
  [
    'an account',
    (endings) => endings.account({ accountId: PERSON, cause: 'suspended' }, async () => undefined),
    ['s1', 's2'],
  ],
];

describe.each(['SQLite', ...(MONGODB_TEST_URI ? ['MongoDB'] : [])])('on %s', (driver) => {
  const close: (() => Promise<void>)[] = [];
  afterEach(async () => {
    backToNow();
    for (const one of close.splice(0).toReversed()) await one();
  });

  async function open(): Promise<Storage> {
    if (driver === 'SQLite') {
      const storage = await openStorage('sqlite::memory:');
      close.push(() => storage.close());
      return storage;
    }
    const database = testDatabase();
    const storage = await openStorage(database.url);
    close.push(async () => {
      await storage.close();
      await database.drop();
    });
    return storage;
  }

  /** Two sessions of one person with an app each in both, one of which has tokens that outlive them. */
  async function scene(storage: Storage, failure: ReturnType<typeof failingAt>) {
    const vault = createVault(Buffer.alloc(32, 7));
    const clients = { find: async () => ({ backchannel_logout_uri: 'https://notes.example/logout' }) };
    const told: string[] = [];
    const make = (store: Storage['logout'], protocol: Storage['protocol']) => {
      const apps = createSessionApps({ store, vault, ttl: () => 100_000 });
      const queue = createQueue({ store, vault });
      const records = createSealedRecords({ store: protocol, vault });
      const endings = createEndings({ apps, queue, records, clients, onQueued: () => undefined });
      return { apps, queue, records, endings, store };
    };
    const sound = make(storage.logout, storage.protocol);
    for (const uid of ['s1', 's2']) {
      await sound.records.upsert('Session', `id-${uid}`, { uid, accountId: PERSON }, 100_000);
      for (const client_id of [APP, OFFLINE])
        await sound.apps.note({
          client_id,
          account_id: PERSON,
          session_uid: uid,
          sid: `${client_id} in ${uid}`,
          offline: client_id === OFFLINE,
        });
    }
    const frail = make(failure.wrap(storage.logout), failure.wrap(storage.protocol));
    const run = () => {
      const runner = startRunner({
        ...sound,
        clients,
        sign: async ({ sid }) => sid!,
        post: async (_uri, token) => {
          told.push(token);
          return { status: 200 };
        },
        log: silent,
      });
      close.push(() => runner.stop());
      return runner;
    };
    const living = async () =>
      (await sound.records.listByAccount('Session', PERSON)).map(({ uid }) => String(uid)).toSorted();
    return { ...sound, frail, told, run, living };
  }

  /** Until nothing waits that is due within the next minutes. */
  async function settle(storage: Storage, run: () => { nudge(): void; stop(): Promise<void> }): Promise<void> {
    const runner = run();
    for (let round = 0; round < 400; round += 1) {
      runner.nudge();
      await new Promise((resolve) => setTimeout(resolve, 10));
      if ((await storage.logout.list('waiting', { limit: 10 })).items.length === 0) break;
    }
    await runner.stop();
  }

  it.each(ENDS)(
    'the end of %s survives a store that fails at any one call',
    async (_what, end, ended) => {
      const counted = failingAt(0, 'before');
      const first = await open();
      await end((await scene(first, counted)).frail.endings);
      const steps = counted.calls();
      expect(steps).toBeGreaterThan(4);
      const expected = ended.flatMap((uid) => [`${APP} in ${uid}`, `${OFFLINE} in ${uid}`]).toSorted();

      for (let step = 1; step <= steps; step += 1) {
        for (const when of ['before', 'after'] as const) {
          const storage = await open();
          const failure = failingAt(step, when);
          const { frail, told, run, living } = await scene(storage, failure);
          const failed = await end(frail.endings).then(
            () => false,
            () => true,
          );
          expect(failed).toBe(true);
          passTime(60);
          await settle(storage, run);
          const at = `step ${step}, ${when}`;
          const sessions = await living();
          // Whoever got an error tries again. Either nothing has begun, or all of it is done.
          const done = ended.every((uid) => !sessions.includes(uid));
          if (done) expect([at, told.toSorted()]).toEqual([at, expected]);
          else expect([at, told, sessions]).toEqual([at, [], ['s1', 's2']]);
          failure.mend();
          await end(frail.endings);
          await settle(storage, run);
          expect([at, [...new Set(told)].toSorted()]).toEqual([at, expected]);
          for (const one of close.splice(0).toReversed()) await one();
          backToNow();
        }
      }
    },
    120_000,
  );

  it('a change that is refused ends nothing; one of which nobody knows what became is completed', async () => {
    const storage = await open();
    const { endings, told, run, living } = await scene(storage, failingAt(0, 'before'));
    const change = (error: Error) =>
      endings.account({ accountId: PERSON, cause: 'suspended' }, () => Promise.reject(error));
    await expect(change(invalidInput('too short', 'password'))).rejects.toThrow('too short');
    passTime(60);
    await settle(storage, run);
    expect([told, await living()]).toEqual([[], ['s1', 's2']]);

    await expect(change(unavailable('the store does not answer'))).rejects.toThrow('does not answer');
    passTime(60);
    await settle(storage, run);
    expect(told).toHaveLength(4);
    expect(await living()).toEqual([]);
  });
});
