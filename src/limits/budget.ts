/**
 * One budget of tries: how many may fail before there is a pause, and how long that is. A try is counted before it is made and
 * given back if it was right, so that tries at the same moment are no more than tries in a row.
 */
import { CounterLimiter, CounterRes } from './counter-limiter.ts';
import type { CounterStore } from './store.ts';

const DAY_SECONDS = 86_400;

export interface BudgetSettings {
  store: CounterStore;
  /** Tries that may fail (or, where nothing is settled, be made) within a window. */
  points: number;
  /** Seconds. */
  window: number;
  /** Seconds of the first lock-out of a day, of the second, and so on; the last stands for all after it. */
  lockSeconds: number[];
}

/** The names of a budget's three counters. */
export interface BudgetKeys {
  tried: string;
  failed: string;
  locks: string;
  /** Whose they are; undefined for nobody's. */
  owner: string | undefined;
}

/** A try that is counted and not settled yet. */
export interface Try {
  keys: BudgetKeys;
  windowEnd: number;
}

export interface Budget {
  /** Counts a try. @returns it, or the milliseconds to wait. */
  reserve(keys: BudgetKeys): Promise<Try | number>;
  /** The try was wrong, and stays counted; the last one of the budget locks it. @returns the seconds of a lock-out that began. */
  fail(one: Try): Promise<number | undefined>;
  /** @returns the milliseconds that a lock-out goes on, 0 where there is none. */
  lockedFor(keys: BudgetKeys): Promise<number>;
  /** The try does not count. */
  giveBack(one: Try): Promise<void>;
  /** Forgets all tries and lock-outs. */
  clear(keys: BudgetKeys): Promise<void>;
  /** Takes one try back that was counted some time before. */
  pardon(keys: BudgetKeys): Promise<void>;
}

export function createBudget({ store, points, window, lockSeconds }: BudgetSettings): Budget {
  const tried = new CounterLimiter({ store, points, duration: window });
  // Only what has failed locks: many people who sign in rightly at one moment are asked to wait at worst.
  const failed = new CounterLimiter({ store, points, duration: window });
  const locks = new CounterLimiter({ store, points, duration: DAY_SECONDS });

  async function lock({ tried: key, failed: failedKey, locks: locksKey, owner }: BudgetKeys): Promise<number> {
    const { consumedPoints: count } = await locks.penalty(locksKey, 1, { owner });
    const seconds = lockSeconds[Math.min(count, lockSeconds.length) - 1]!;
    await tried.block(key, seconds, { owner });
    await failed.delete(failedKey);
    return seconds;
  }

  const giveBack = async ({ keys, windowEnd }: Try): Promise<void> =>
    void (await tried.reward(keys.tried, 1, { windowEnd }));

  return {
    giveBack,
    async reserve(keys) {
      try {
        const { windowEnd } = (await tried.consume(keys.tried, 1, { owner: keys.owner })) as CounterRes;
        return { keys, windowEnd };
      } catch (refusal) {
        if (!(refusal instanceof CounterRes)) throw refusal;
        // A refused try was not made; in a lock-out the count means nothing.
        if (!refusal.locked) await giveBack({ keys, windowEnd: refusal.windowEnd });
        return refusal.msBeforeNext;
      }
    },
    async fail({ keys }) {
      const { consumedPoints } = await failed.penalty(keys.failed, 1, { owner: keys.owner });
      return consumedPoints === points ? lock(keys) : undefined;
    },
    async lockedFor(keys) {
      const now = (await tried.get(keys.tried)) as CounterRes | null;
      return now?.locked ? now.msBeforeNext : 0;
    },
    async clear({ tried: key, failed: failedKey, locks: locksKey }) {
      await Promise.all([tried.delete(key), failed.delete(failedKey), locks.delete(locksKey)]);
    },
    async pardon(keys) {
      const now = (await tried.get(keys.tried)) as CounterRes | null;
      if (now && !now.locked) await giveBack({ keys, windowEnd: now.windowEnd });
    },
  };
}
