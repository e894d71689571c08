/**
 * Limits on guessing and on flooding: how often something may be tried for an account, from an address, by a device. This room
 * owns the counters, the lock-outs and the devices that are known; what a right password or code is, and what a person sees
 * when they must wait, it leaves to those who call it. Every call throws `limited` (429, with the seconds to wait) or, when the
 * store is away, `unavailable`.
 *
 *     const account = await limits.guess('password', { account: email, address, device }, () => accounts.authenticate(…));
 *     await limits.spend('mail', { account: email, address, device });
 */
import { networkOf } from '../kernel/addresses.ts';
import { limited } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { createBudget } from './budget.ts';
import type { Budget, BudgetKeys, Try } from './budget.ts';
import type { CounterStore } from './store.ts';

/**
 * What can be guessed: only wrong tries count. `callback`: answers of upstream providers that belong to no sign-in. `hint`: people whom
 * an app names.
 */
export type GuessKind = 'password' | 'code' | 'passkey' | 'link' | 'client' | 'callback' | 'hint';
/**
 * What can be asked for too often: every request counts. `authorization`: sign-ins begun and not finished. `approval`: requests of apps that
 * a person is to answer.
 */
export type RequestKind =
  'mail' | 'sign_up' | 'authorization' | 'admin_api' | 'registration' | 'client_document' | 'approval';
export type LimitKind = GuessKind | RequestKind;

/** Whose tries are counted together. A device that is known has a budget of its own instead of all others. */
export type Scope =
  'account' | 'address' | 'account_and_address' | 'client_and_address' | 'client_and_account' | 'device';

export interface LimitKeys {
  /** The e-mail address as it was typed, whether there is such an account or not. */
  account?: string | undefined;
  /** The client's address, from `http/client-address.ts`. */
  address: string;
  /** Of a device that is known for this account (`limits/devices.ts`); undefined for a stranger. */
  device?: string | undefined;
  /** A registered app. */
  client?: string | undefined;
}

/** A guess that is counted, and must be settled in one of three ways. */
export interface Reservation {
  /** It was right: it does not count, and what this person got wrong from here before is forgotten. */
  right(): Promise<void>;
  /** It was wrong. @returns the seconds of the lock-out that begins with it, else 0. */
  wrong(): Promise<number>;
  /** It was not looked at: it does not count. */
  release(): Promise<void>;
}

export interface Limits {
  /** Counts a guess before it is looked at. @throws limited, unavailable. */
  reserve(kind: GuessKind, keys: LimitKeys): Promise<Reservation>;
  /**
   * Looks at a guess within its limits.
   * @param check gives undefined when the guess was wrong; what it throws is no guess.
   * @returns what `check` gave. @throws limited without calling it, unavailable.
   */
  guess<T>(kind: GuessKind, keys: LimitKeys, check: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Counts a request. @throws limited, unavailable. */
  spend(kind: RequestKind, keys: LimitKeys): Promise<void>;
  /** The seconds for which such a guess is refused; 0 where it is looked at. Counts nothing. */
  lockedFor(kind: GuessKind, keys: LimitKeys): Promise<number>;
  /** Takes back one request that led to something good. */
  pardon(kind: RequestKind, keys: LimitKeys): Promise<void>;
  /** Forgets all tries and lock-outs of an account, also those of one address or device. @returns how many counters there were. */
  unlock(account: string): Promise<number>;
}

type Points = Partial<Record<Scope, number>>;

export type LimitSettings = Record<LimitKind, Points> & {
  enabled: boolean;
  /** Seconds within which failures add up. */
  window: number;
  /** Seconds of one lock-out after another. */
  lock_seconds: number[];
};

interface Needs {
  store: CounterStore;
  vault: { lookupKey(kind: string, id: string): string };
  settings: LimitSettings;
  /** Makes equal spellings of one e-mail address equal. */
  normalizeAccount: (account: string) => string;
  log?: Logger | undefined;
}

/** Narrow before wide: a try that one pair of account and address may not make takes nothing from the others. */
const STRANGER: Scope[] = ['client_and_account', 'client_and_address', 'account_and_address', 'account', 'address'];
/** Where a right try shows that the wrong ones before were the same person's. */
const OWN: Scope[] = ['account_and_address', 'device'];

interface Counted {
  scope: Scope;
  budget: Budget;
  one: Try;
}

const NOTHING: Reservation = {
  right: async () => undefined,
  wrong: async () => 0,
  release: async () => undefined,
};

async function guessBy<T>(reservation: Reservation, check: () => Promise<T | undefined>): Promise<T | undefined> {
  let found: T | undefined;
  try {
    found = await check();
  } catch (error) {
    await reservation.release();
    throw error;
  }
  await (found === undefined ? reservation.wrong() : reservation.right());
  return found;
}

/** No limits at all: for a development machine. */
const unlimited: Limits = {
  reserve: async () => NOTHING,
  guess: (_kind, _keys, check) => check(),
  lockedFor: async () => 0,
  spend: async () => undefined,
  pardon: async () => undefined,
  unlock: async () => 0,
};

export function createLimits({ store, vault, settings, normalizeAccount, log }: Needs): Limits {
  const ownerKey = (account: string) => vault.lookupKey('limits of', normalizeAccount(account));
  if (!settings.enabled) return { ...unlimited, unlock: (account) => store.deleteByOwner(ownerKey(account)) };

  const budgets = new Map<string, Budget>();
  function budgetOf(kind: LimitKind, scope: Scope): Budget | undefined {
    const points = settings[kind][scope];
    if (points === undefined) return undefined;
    const name = `${kind} ${scope}`;
    const { window, lock_seconds: lockSeconds } = settings;
    const budget = budgets.get(name) ?? createBudget({ store, points, window, lockSeconds });
    budgets.set(name, budget);
    return budget;
  }

  function subject(scope: Scope, { account, address, device, client }: LimitKeys): unknown[] {
    const who = account === undefined ? undefined : normalizeAccount(account);
    const parts: Record<Scope, unknown[]> = {
      account: [who],
      address: [networkOf(address)],
      account_and_address: [who, networkOf(address)],
      client_and_address: [client, networkOf(address)],
      client_and_account: [client, who],
      device: [who, device],
    };
    return parts[scope];
  }

  function keysOf(kind: LimitKind, scope: Scope, keys: LimitKeys): BudgetKeys | undefined {
    const parts = subject(scope, keys);
    if (parts.includes(undefined)) return undefined;
    const id = JSON.stringify([kind, scope, ...parts]);
    const key = (name: string) => vault.lookupKey(name, id);
    const owner = scope === 'address' || keys.account === undefined ? undefined : ownerKey(keys.account);
    return { tried: key('limit tried'), failed: key('limit failed'), locks: key('limit locks'), owner };
  }

  const scopesFor = (kind: LimitKind, { device }: LimitKeys): Scope[] =>
    device !== undefined && settings[kind].device !== undefined ? ['device'] : STRANGER;

  const giveAllBack = async (counted: Counted[]): Promise<void> =>
    void (await Promise.all(counted.map(({ budget, one }) => budget.giveBack(one))));

  /** @throws limited after giving back what was counted already. */
  async function count(kind: LimitKind, keys: LimitKeys, longestWait: number): Promise<Counted[]> {
    const counted: Counted[] = [];
    for (const scope of scopesFor(kind, keys)) {
      const budget = budgetOf(kind, scope);
      const names = keysOf(kind, scope, keys);
      if (!budget || !names) continue;
      const one = await budget.reserve(names);
      if (typeof one === 'number') {
        await giveAllBack(counted);
        throw limited(Math.ceil(Math.min(one, longestWait) / 1000));
      }
      counted.push({ scope, budget, one });
    }
    return counted;
  }

  async function settleWrong(kind: GuessKind, counted: Counted[]): Promise<number> {
    let longest = 0;
    for (const { scope, budget, one } of counted) {
      const seconds = await budget.fail(one);
      if (seconds === undefined) continue;
      longest = Math.max(longest, seconds);
      log?.warn({ kind, scope, seconds }, 'too many wrong tries: further ones are refused');
    }
    return longest;
  }

  const settleRight = async (counted: Counted[]): Promise<void> =>
    void (await Promise.all(
      counted.map(({ scope, budget, one }) => (OWN.includes(scope) ? budget.clear(one.keys) : budget.giveBack(one))),
    ));

  const longestLock = Math.max(...settings.lock_seconds) * 1000;

  async function reserve(kind: GuessKind, keys: LimitKeys): Promise<Reservation> {
    const counted = await count(kind, keys, longestLock);
    return {
      right: () => settleRight(counted),
      wrong: () => settleWrong(kind, counted),
      release: () => giveAllBack(counted),
    };
  }

  return {
    reserve,
    guess: async (kind, keys, check) => guessBy(await reserve(kind, keys), check),
    spend: async (kind, keys) => void (await count(kind, keys, Infinity)),
    async lockedFor(kind, keys) {
      let longest = 0;
      for (const scope of scopesFor(kind, keys)) {
        const names = keysOf(kind, scope, keys);
        if (names) longest = Math.max(longest, (await budgetOf(kind, scope)?.lockedFor(names)) ?? 0);
      }
      return Math.ceil(longest / 1000);
    },
    async pardon(kind, keys) {
      for (const scope of scopesFor(kind, keys)) {
        const names = keysOf(kind, scope, keys);
        if (names) await budgetOf(kind, scope)?.pardon(names);
      }
    },
    unlock: (account) => store.deleteByOwner(ownerKey(account)),
  };
}
