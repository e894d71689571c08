import { resealAll } from '../kernel/reseal.ts';
import type { Resealed, SealedValue } from '../kernel/reseal.ts';
import type { Sealing } from '../kernel/secrets.ts';
import { mailContext } from './outbox.ts';
import { MAIL_STATES } from './store.ts';
import type { OutboxStore } from './store.ts';

const BATCH = 200;

interface Needs {
  store: Pick<OutboxStore, 'list' | 'reseal'>;
  sealing: Sealing;
}

async function* sealedMails(store: Needs['store']): AsyncGenerator<SealedValue> {
  for (const state of MAIL_STATES) {
    let after: string | undefined;
    do {
      const page = await store.list(state, { after, limit: BATCH });
      for (const { id, sealed, problem } of page.items) {
        for (const [column, value] of Object.entries({ sealed, problem }) as [
          'sealed' | 'problem',
          Uint8Array | null,
        ][])
          if (value)
            yield { sealed: value, context: mailContext(id), replace: (next) => store.reseal(id, column, value, next) };
      }
      after = page.next;
    } while (after !== undefined);
  }
}

/** Seals what mails say, and why they were refused, with the newest encryption key. */
export const resealMails = ({ store, sealing }: Needs): Promise<Resealed> => resealAll(sealedMails(store), sealing);
