/**
 * Rows that were read or written a moment ago, good for as long as nobody else wrote: SQLite counts the commits of all other
 * connections, of this process or another, and asking for the count takes a fraction of reading a row anew. What is written by
 * this very connection is not counted: who writes by it forgets here what they change.
 */
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

/** @param most how many rows are held; the oldest goes first. */
export function createRecent<T>(commits: Commits, most: number): Recent<T> {
  const rows = new Map<string, T | null>();
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
      rows.delete(key);
      if (rows.size >= most) rows.delete(rows.keys().next().value!);
      rows.set(key, row);
    },
    take(key) {
      const row = rows.get(key);
      rows.delete(key);
      return row;
    },
    clear: () => rows.clear(),
  };
}
