import { epochSeconds } from '../kernel/clock.ts';
import type { ProtocolStore } from './store.ts';

const EVERY_MS = 60_000;
const BATCH = 200;

/**
 * Removes expired records in the background, in batches small enough not to hold up a request.
 * @returns a function that stops it.
 */
export function startSweeper(store: Pick<ProtocolStore, 'sweep'>, onError: (error: unknown) => void): () => void {
  let stopped = false;

  async function sweepAll(): Promise<void> {
    while (!stopped && (await store.sweep(epochSeconds(), BATCH)) === BATCH) {
      await new Promise((resolve) => setTimeout(resolve, 10).unref());
    }
  }

  const timer = setInterval(() => void sweepAll().catch(onError), EVERY_MS).unref();
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
