/** Work that waits in a store: looked for every second, or at once when somebody says that there is some. */

import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 1000;
const ATTEMPTS = 5;

export interface Worker {
  /** Looks at once; while it is looking, once more afterwards. */
  nudge(): void;
  /** Begins nothing more, and resolves when what is under way is done. */
  stop(): Promise<void>;
}

/**
 * @param work does what is due; never called while it is under way.
 * @param onAway the store does not answer: told once, until it does again.
 */
export function startWorker(work: () => Promise<void>, onAway: (error: unknown) => void): Worker {
  let stopped = false;
  let working: Promise<void> | undefined;
  let again = false;
  let away = false;

  async function untilDone(): Promise<void> {
    try {
      while (again && !stopped) {
        again = false;
        await work();
        away = false;
      }
    } catch (error) {
      if (!away) onAway(error);
      away = true;
    }
  }

  function nudge(): void {
    again = true;
    working ??= untilDone().finally(() => {
      working = undefined;
    });
  }

  const poll = setInterval(nudge, POLL_MS).unref();
  return {
    nudge,
    async stop() {
      stopped = true;
      clearInterval(poll);
      await working;
    },
  };
}

/**
 * Does what must not be left undone: a store that is away for a moment is waited for, a little longer each time.
 * @param pauseMs how long the first time, in milliseconds. @throws what the fifth attempt threw.
 */
export async function persistently(work: () => Promise<unknown>, pauseMs: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await wait(attempt * pauseMs);
    }
  }
}
