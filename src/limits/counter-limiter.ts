/** `rate-limiter-flexible` over our own counters: its rules, our atomicity and our keys. */
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { Counter, CounterStore } from './store.ts';

/** Above any number of points that can be configured: a counter that stands there is locked, not merely used up. */
const LOCKED = 1_000_000;

export interface CounterOptions {
  /** Whose counter it is, so that all of theirs can be cleared. */
  owner?: string | undefined;
  /** Of points taken back: the end of the window they were added in. */
  windowEnd?: number;
}

/** What the library answers and refuses with; this one also names the window it is about. */
export class CounterRes extends RateLimiterRes {
  /** Epoch milliseconds. */
  readonly windowEnd: number;
  readonly locked: boolean;
  constructor(points: number, { count, expires_at }: Counter) {
    super(Math.max(0, points - count), Math.max(0, expires_at - Date.now()), count, false);
    this.windowEnd = expires_at;
    this.locked = count >= LOCKED;
  }
}

interface Settings {
  store: CounterStore;
  /** How many points a window has. */
  points: number;
  /** Length of a window in seconds. */
  duration: number;
}

/** `consume` rejects with a `CounterRes` when the points are used up, and with the store's own error when that is away. */
export class CounterLimiter extends RateLimiterStoreAbstract {
  readonly #store: CounterStore;
  readonly #points: number;

  constructor({ store, points, duration }: Settings) {
    super({ storeClient: store, keyPrefix: '', points, duration, blockOnConsumed: LOCKED });
    this.#store = store;
    this.#points = points;
  }

  async _upsert(
    key: string,
    points: number,
    milliseconds: number,
    replace: boolean,
    { owner, windowEnd }: CounterOptions,
  ): Promise<Counter | undefined> {
    if (replace) return this.#store.block(key, points, milliseconds, owner);
    if (points >= 0) return this.#store.increment(key, points, milliseconds, owner);
    await this.#store.giveBack(key, -points, windowEnd ?? 0);
    return undefined;
  }

  async _get(key: string): Promise<Counter | null> {
    return (await this.#store.get(key)) ?? null;
  }

  _delete(key: string): Promise<boolean> {
    return this.#store.delete(key);
  }

  _getRateLimiterRes(_key: string, _changed: number, counter: Counter | undefined): CounterRes {
    return new CounterRes(this.#points, counter ?? { count: 0, expires_at: 0 });
  }
}
