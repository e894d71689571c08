/**
 * Lists and searches. Where people are served they are read on a thread and a connection of its own: in a large store one of them waits
 * for the disk for tens of milliseconds, in which nobody would be served. It sees what was committed when it begins. Before that, and in
 * a command, hardly anybody waits, and the thread would take 13 MB and 25 ms.
 */
import { Worker } from 'node:worker_threads';
import type { SQLInputValue } from 'node:sqlite';
import { unavailable } from '../../kernel/errors.ts';
import { BUSY_TIMEOUT_MS } from './connect.ts';
import type { Connection, Row } from './connect.ts';
import { endThread } from './threads.ts';

/** A thread without work for so long ends, and its memory is given back. */
const REST_AFTER_MS = 60_000;

export interface Reader {
  /** @returns a function that runs `sql`. @throws unavailable (the function) when the store does not answer. */
  prepare(sql: string): (...values: SQLInputValue[]) => Promise<Row[]>;
  /** From now on a thread reads. */
  leaveToThread(): void;
  /** Resolves when the thread has closed the file. Whoever still waits for rows hears `unavailable`. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(rows: Row[]): void;
  reject(error: Error): void;
}

interface Answer {
  id: number;
  rows?: Row[];
  problem?: string;
}

const CLOSED = new Error('the store is closed');
const away = (cause: unknown) => unavailable('The store does not answer.', cause);

/**
 * @param file path of the database, which exists; the thread starts with the first read left to it, and again if it fails.
 * @param connection reads until then.
 */
export function createReader(file: string, connection: Connection, { restAfterMs = REST_AFTER_MS } = {}): Reader {
  const here = readerOn(connection);
  let left = false;
  const waiting = new Map<number, Waiting>();
  let thread: Worker | undefined;
  let ended = Promise.resolve();
  let asked = 0;
  let resting: NodeJS.Timeout | undefined;
  let closed = false;

  /** What it was asked before it still answers. */
  function end(): Promise<void> {
    clearTimeout(resting);
    if (thread) ended = endThread(thread);
    thread = undefined;
    return ended;
  }

  function settle({ id, rows, problem }: Answer): void {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) {
      thread?.unref();
      clearTimeout(resting);
      resting = setTimeout(() => void end(), restAfterMs).unref();
    }
    if (rows) one?.resolve(rows);
    else one?.reject(away(new Error(problem)));
  }

  function gone(cause: unknown): void {
    for (const { reject } of waiting.values()) reject(away(cause));
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(new URL('./reader-thread.js', import.meta.url), {
      name: 'reader',
      workerData: { file, timeout: BUSY_TIMEOUT_MS },
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
    });
    started.on('message', settle);
    started.on('error', (cause) => {
      if (thread !== started) return;
      thread = undefined;
      gone(cause);
    });
    return started;
  }

  const readThere = (sql: string, values: SQLInputValue[]) =>
    new Promise<Row[]>((resolve, reject) => {
      if (closed) throw away(CLOSED);
      const id = (asked += 1);
      waiting.set(id, { resolve, reject });
      clearTimeout(resting);
      thread ??= start();
      thread.ref(); // only while somebody waits does it keep the process
      thread.postMessage({ id, sql, values });
    });

  return {
    prepare(sql) {
      let readHere: ReturnType<Reader['prepare']> | undefined;
      return async (...values) => (left ? readThere(sql, values) : (readHere ??= here.prepare(sql))(...values));
    },
    leaveToThread() {
      left = true;
    },
    async close() {
      closed = true;
      await end();
      gone(CLOSED);
    },
  };
}

/** The same on a connection of this thread: what is in memory can be read nowhere else. */
export function readerOn(connection: Connection): Reader {
  return {
    prepare(sql) {
      const statement = connection.prepare(sql);
      return async (...values) => statement.all(...values);
    },
    leaveToThread: () => undefined,
    close: async () => undefined,
  };
}
