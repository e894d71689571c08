/**
 * Rows that were read or written a moment ago, good for as long as nobody else wrote: SQLite counts the commits of all other
 * connections, of this process or another, and asking for the count takes a fraction of reading a row anew. What is written by
 * this very connection is not counted: who writes by it forgets here what they change.
 */
import QuickLRU from 'quick-lru';
import type { Commits } from './commits.ts';

export interface Recent<T> {
  /** @returns the row, `null` where there is known to be none, undefined where that must be looked up. */
  get(key: string): T | null | undefined;
  /** The row as it was committed or read by this connection. */
  set(key: string, row: T | null): void;
  /** To be called in the very write that changes it. @returns what was known. */
  take(key: string): T | null | undefined;
  clear(): void;
}

/** @param count how many rows are held, and up to once more as many; those that nobody asks for go first. */
export function createRecent<T>(commits: Commits, count: number): Recent<T> {
  const rows = new QuickLRU<string, T | null>({ maxSize: count });
  let seen: unknown;

  return {
    get(key) {
      const now = commits();
      if (now !== seen) {
        rows.clear();
        seen = now;
      }
      return rows.get(key);
    },
    set(key, row) {
      rows.set(key, row);
    },
    take(key) {
      const row = rows.peek(key);
      rows.delete(key);
      return row;
    },
    clear: () => rows.clear(),
  };
}
