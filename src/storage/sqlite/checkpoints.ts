/**
 * Copies the write-ahead log back into the database on a thread of its own. SQLite would do it within the write that makes the
 * log long enough: tens of milliseconds of copying and syncing in which nobody is served. What was written while the thread copied
 * it copies while nobody writes, for some milliseconds, so that the log begins anew. What is written in groups, nearly all, waits there for
 * it: in SQLite it would wait on the serving thread, which would sleep for 8 to 33 ms.
 */
import { Worker } from 'node:worker_threads';
import { endThread } from './threads.ts';

/** Each leaves some three pages in the log: 16 MiB. With fewer the same few pages are copied again and again. */
const WRITES_BETWEEN = 1400;
/** A disk that takes longer holds up everybody anyway. */
const LONGEST_PAUSE_MS = 5000;
/** While somebody reads what is older, the rest cannot be copied: a list takes up to 50 ms. The next time it may be. */
const TRIES = 5;
const BETWEEN_TRIES_MS = 20;

export interface Checkpoints {
  /** Says that so many writes were committed. */
  wrote(count: number): void;
  /** Resolves when the thread has closed the file. */
  close(): Promise<void>;
}

/**
 * @param file path of the database; nothing is started for it until there is something to do.
 * @param pause lets the writes wait, and gives what lets them go on.
 */
export function createCheckpoints(file: string, pause: () => () => void): Checkpoints {
  let writes = 0;
  let thread: Worker | undefined;
  let underWay = false;
  let closing = false;
  let goOn: () => void = () => undefined;

  function copyRest(): void {
    if (!thread || closing) return;
    const resume = pause();
    const impatience = setTimeout(() => goOn(), LONGEST_PAUSE_MS);
    goOn = () => {
      clearTimeout(impatience);
      goOn = () => undefined;
      resume();
    };
    thread.postMessage('copy the rest');
  }

  function start(): Worker {
    const started = new Worker(new URL('./checkpoint-thread.js', import.meta.url), {
      name: 'checkpoints',
      workerData: { file },
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    started.unref();
    let tries = 0;
    started.on('message', (message: 'most is copied' | 'busy' | 'done') => {
      goOn();
      tries = message === 'busy' ? tries + 1 : 0;
      if (message === 'most is copied') copyRest();
      else if (message === 'done' || tries === TRIES) underWay = false;
      else setTimeout(copyRest, BETWEEN_TRIES_MS).unref();
    });
    // Without it SQLite does the work itself when the log is three times as long.
    started.on('error', () => {
      thread = undefined;
      underWay = false;
      goOn();
    });
    return started;
  }

  return {
    wrote(count) {
      writes += count;
      if (writes < WRITES_BETWEEN || underWay || closing) return;
      writes = 0;
      (thread ??= start()).postMessage('copy most');
      underWay = true;
    },
    async close() {
      closing = true;
      if (thread) await endThread(thread);
      goOn();
    },
  };
}
