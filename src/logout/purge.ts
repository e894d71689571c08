import { epochSeconds } from '../kernel/clock.ts';
import type { DeliveryState, LogoutStore } from './store.ts';

const DAY = 86_400;
const EVERY_MS = 600_000;
const BATCH = 200;
/** How long deliveries are remembered after they were settled, in seconds. Those that wait are never purged. */
const KEPT: Partial<Record<DeliveryState, number>> = { confirmed: DAY, given_up: 7 * DAY };

/** Removes what is no longer to be remembered. */
export async function purge(store: Pick<LogoutStore, 'purge' | 'sweepApps'>): Promise<void> {
  for (const [state, seconds] of Object.entries(KEPT)) {
    while ((await store.purge(state as DeliveryState, epochSeconds() - seconds, BATCH)) === BATCH);
  }
  while ((await store.sweepApps(epochSeconds(), BATCH)) === BATCH);
}

/** Purges now and then. @returns a function that stops it. */
export function startPurging(
  store: Pick<LogoutStore, 'purge' | 'sweepApps'>,
  onError: (error: unknown) => void,
): () => void {
  const timer = setInterval(() => void purge(store).catch(onError), EVERY_MS).unref();
  return () => clearInterval(timer);
}
