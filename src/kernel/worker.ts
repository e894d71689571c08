/** Work that waits in a store: looked for every second, or at once when somebody says that there is some. */

const POLL_MS = 1000;

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
