import { epochSeconds } from '../kernel/clock.ts';
import type { MailState, OutboxStore } from './store.ts';

const DAY = 86_400;
const EVERY_MS = 600_000;
const BATCH = 200;

/** How long mails are remembered after they were settled, in seconds. Those that wait are never purged. */
const KEPT: Partial<Record<MailState, number>> = { sent: 7 * DAY, shown: 7 * DAY, given_up: 30 * DAY };

/** Removes what is no longer to be remembered. */
export async function purge(store: Pick<OutboxStore, 'purge'>): Promise<void> {
  for (const [state, seconds] of Object.entries(KEPT)) {
    while ((await store.purge(state as MailState, epochSeconds() - seconds, BATCH)) === BATCH);
  }
}

/** Purges now and then. @returns a function that stops it. */
export function startPurging(store: Pick<OutboxStore, 'purge'>, onError: (error: unknown) => void): () => void {
  const timer = setInterval(() => void purge(store).catch(onError), EVERY_MS).unref();
  return () => clearInterval(timer);
}
