/**
 * Copies the write-ahead log back into the database on a thread of its own. SQLite would do it within the write that makes the
 * log long enough: tens of milliseconds of copying and syncing in which nobody is served. What was written while the thread copied
 * it copies while nobody writes, for some milliseconds, so that the log begins anew.
 */
import { Worker } from 'node:worker_threads';
import { endThread } from './threads.ts';

/** Each leaves some three pages in the log: 16 MiB. With fewer the same few pages are copied again and again. */
const WRITES_BETWEEN = 1400;

export interface Checkpoints {
  /** Says that so many writes were committed. */
  wrote(count: number): void;
  /** Resolves when the thread has closed the file. */
  close(): Promise<void>;
}

/** @param file path of the database; nothing is started for it until there is something to do. */
export function createCheckpoints(file: string): Checkpoints {
  let writes = 0;
  let thread: Worker | undefined;

  function start(): Worker {
    const started = new Worker(new URL('./checkpoint-thread.js', import.meta.url), {
      name: 'checkpoints',
      workerData: { file },
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    started.unref();
    // Without it SQLite does the work itself when the log is three times as long.
    started.on('error', () => (thread = undefined));
    return started;
  }

  return {
    wrote(count) {
      writes += count;
      if (writes < WRITES_BETWEEN) return;
      writes = 0;
      (thread ??= start()).postMessage('checkpoint');
    },
    async close() {
      if (thread) await endThread(thread);
    },
  };
}
