/** A number of points under a key, until its window ends. */
export interface Counter {
  /** Never below 0. */
  count: number;
  /** Epoch milliseconds: when the window ends. */
  expires_at: number;
}

/**
 * Where counters are kept. Each call is atomic: of callers at once, in any number of processes, none is lost. For every caller an
 * expired counter is absent, swept or not. Writes survive a killed process; a power cut may forget the last moments, which
 * gives a guesser some tries back. Keys are keyed hashes: what is counted cannot be read from the store.
 */
export interface CounterStore {
  /**
   * Adds `points` to the counter. Where there is none, a window of `windowMs` begins; adding does not prolong it.
   * @param owner keyed hash of whose it is, for `deleteByOwner`; undefined for nobody's.
   * @returns the counter after it, so that of 100 callers at once each sees another count.
   */
  increment(key: string, points: number, windowMs: number, owner?: string | null): Promise<Counter>;
  /** Takes points back, if the window they were added in (named by its end) still runs; the count stays at least 0. */
  giveBack(key: string, points: number, windowEnd: number): Promise<void>;
  /** Sets the counter to `count` for `windowMs` from now, whatever it was. */
  block(key: string, count: number, windowMs: number, owner?: string | null): Promise<Counter>;
  get(key: string): Promise<Counter | undefined>;
  /** @returns whether there was one that had not expired. */
  delete(key: string): Promise<boolean>;
  /** Removes all counters of an owner. @returns how many had not expired. */
  deleteByOwner(owner: string): Promise<number>;
  /** Removes counters that expired before `now` (epoch seconds), at most `limit`. @returns how many. Stores that expire by themselves do nothing. */
  sweep(now: number, limit: number): Promise<number>;
}
