import type { Logger } from '../kernel/logger.ts';

const EVERY_MS = 3_600_000;
const FIRST_MS = 10_000;
const BATCH = 50;

interface Needs {
  accounts: { listToErase(limit: number): Promise<string[]> };
  erase(accountId: string): Promise<unknown>;
  log: Logger;
}

/** Erases the accounts that are due. Several processes at once, or one that is stopped in between, do no harm. */
export async function eraseDue({ accounts, erase, log }: Needs): Promise<void> {
  for (;;) {
    const due = await accounts.listToErase(BATCH);
    for (const id of due) await erase(id);
    if (due.length > 0) log.info({ count: due.length }, 'accounts whose time was up were erased');
    if (due.length < BATCH) return;
  }
}

/** Does that hourly, beginning a little after the start. @returns a function that stops it. */
export function startErasing(needs: Needs, also: () => Promise<void>): () => void {
  const run = () =>
    void eraseDue(needs)
      .then(also)
      .catch((error: unknown) => needs.log.error({ err: error }, 'erasing accounts failed; it is tried again'));
  const first = setTimeout(run, FIRST_MS).unref();
  const timer = setInterval(run, EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}
