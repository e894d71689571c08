/** Waiting for what happens after an answer: mails that leave, apps that are told, notes that are written. */
import { setTimeout as wait } from 'node:timers/promises';

const PAUSE_MS = 20;

/**
 * Looks again until `check` throws nothing any more. The clock that `passTime` moves stands still meanwhile.
 * @param options `patienceMs`: longer than a busy machine takes, and less than a test may.
 * @returns what it returned. @throws what it threw in the end.
 */
export async function eventually<T>(check: () => T | Promise<T>, { patienceMs = 30_000 } = {}): Promise<T> {
  const end = process.hrtime()[0] * 1000 + patienceMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (process.hrtime()[0] * 1000 > end) throw error;
    }
    await wait(PAUSE_MS);
  }
}
