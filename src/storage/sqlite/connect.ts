import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { unavailable } from '../../kernel/errors.ts';
import { endMoment } from './moments.ts';

// Pages of the write-ahead log before the next write copies them back (48 MiB), should `checkpoints.ts` not have come to it: a
// process that writes little, or all of it durably.
const CHECKPOINT_PAGES = 12_000;
const CACHE_KIB = 8192;
// Waiting blocks the serving thread, and every writer commits within milliseconds.
export const BUSY_TIMEOUT_MS = 1000;
const CONSTRAINT = 19;
const BUSY = 5;
const OPENED_WITHIN_MS = 15_000;
const BETWEEN_MS = 20;

export type Row = Record<string, SQLOutputValue>;

export interface Connection {
  /** Prepared once, run often. Failures other than a broken constraint become `unavailable`. */
  prepare(sql: string): Statement;
  /** What gives the first value of what `sql` answers. Making an object of a row costs more than some answers do. */
  prepareValue(sql: string): () => SQLOutputValue | undefined;
  exec(sql: string): void;
  /** Runs `work` in one transaction; nothing in it may wait. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface Statement {
  get(...params: SQLInputValue[]): Row | undefined;
  all(...params: SQLInputValue[]): Row[];
  /** @returns how many rows changed. */
  run(...params: SQLInputValue[]): number;
}

export const isConstraintError = (error: unknown): boolean =>
  ((error as { errcode?: number }).errcode ?? 0) % 256 === CONSTRAINT;

/** @returns `work` as whoever uses a store knows it: what fails is `unavailable`, but for a broken constraint. */
const guarded =
  <P extends unknown[], T>(work: (...params: P) => T) =>
  (...params: P): T => {
    endMoment();
    try {
      return work(...params);
    } catch (error) {
      if (isConstraintError(error)) throw error;
      throw unavailable('The store does not answer.', error);
    }
  };

const isBusy = (error: unknown): boolean =>
  (((error as Error).cause as { errcode?: number } | undefined)?.errcode ?? 0) % 256 === BUSY;

/**
 * Opens what others may be opening, and making, at this moment: some of them SQLite refuses without waiting. Nobody is served yet.
 * @throws unavailable when it is locked for fifteen seconds.
 */
export function opening<T>(open: () => T): T {
  const until = performance.now() + OPENED_WITHIN_MS;
  for (;;) {
    try {
      return open();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN_MS);
    }
  }
}

function wrap(statement: StatementSync, sql: string): Statement {
  // Node's `get` stops at the first row, and does not see whether a write that gave it was committed after that.
  const givesBack = sql.includes('RETURNING');
  return {
    get: guarded((...params: SQLInputValue[]) => (givesBack ? statement.all(...params)[0] : statement.get(...params))),
    all: guarded((...params: SQLInputValue[]) => statement.all(...params)),
    run: guarded((...params: SQLInputValue[]) => Number(statement.run(...params).changes)),
  };
}

/**
 * @param durability FULL: a commit survives power loss. NORMAL: it survives a killed process, in a fraction of the time.
 * @throws unavailable when the file cannot be opened.
 */
export function connect(file: string, durability: 'FULL' | 'NORMAL'): Connection {
  const db = guarded(() => new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS }))();
  const exec = guarded((sql: string) => db.exec(sql));
  try {
    exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA foreign_keys = ON;
        PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY;`,
    );
  } catch (error) {
    db.close();
    throw error;
  }
  const prepare = (sql: string) => wrap(guarded(() => db.prepare(sql))(), sql);
  const prepareValue = (sql: string) => {
    const statement = guarded(() => db.prepare(sql))();
    statement.setReturnArrays(true);
    return guarded(() => (statement.get() as unknown as SQLOutputValue[] | undefined)?.[0]);
  };
  const begin = prepare('BEGIN IMMEDIATE');
  const commit = prepare('COMMIT');
  return {
    prepare,
    prepareValue,
    exec,
    transaction(work) {
      begin.run();
      try {
        const result = work();
        commit.run();
        return result;
      } catch (error) {
        if (db.isTransaction) exec('ROLLBACK');
        throw error;
      }
    },
    close() {
      if (db.isOpen) db.close();
    },
  };
}
