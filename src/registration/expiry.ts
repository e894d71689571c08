/** Apps that registered themselves and are used by nobody go again. */
import type { Registration, RegistrationStore } from '../clients/registrations.ts';
import type { Logger } from '../kernel/logger.ts';

const EVERY_MS = 3_600_000;
const FIRST_MS = 20_000;
const BATCH = 50;

interface Needs {
  store: Pick<RegistrationStore, 'listUnused' | 'remove'>;
  clients: { delete(id: string): Promise<boolean> };
  /** Seconds. */
  unusedAfter: number;
  note(registration: Registration): Promise<void>;
  log: Logger;
}

/** Removes what was unused for too long. Several processes at once, or one that is stopped in between, do no harm. */
export async function removeUnused({ store, clients, unusedAfter, note, log }: Needs): Promise<void> {
  const before = new Date(Date.now() - unusedAfter * 1000).toISOString();
  for (;;) {
    const unused = await store.listUnused(before, BATCH);
    for (const one of unused) {
      // One that was removed otherwise has left its registration behind.
      if (await clients.delete(one.client_id)) await note(one);
      await store.remove(one.client_id);
    }
    if (unused.length > 0) log.info({ count: unused.length }, 'unused apps that registered themselves were removed');
    if (unused.length < BATCH) return;
  }
}

/** Does that hourly. @returns a function that stops it. */
export function startRemovingUnused(needs: Needs): () => void {
  if (needs.unusedAfter === 0) return () => undefined;
  const run = () =>
    void removeUnused(needs).catch((error: unknown) =>
      needs.log.error({ err: error }, 'removing unused apps failed; it is tried again'),
    );
  const first = setTimeout(run, FIRST_MS).unref();
  const timer = setInterval(run, EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}
