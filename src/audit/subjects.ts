import { newId } from '../kernel/ids.ts';
import type { AuditStore } from './store.ts';

const MOST_HELD = 10_000;

/** Pseudonyms of accounts: random, so that nothing leads back from one once it is forgotten whose it was. */
export function createSubjects(store: Pick<AuditStore, 'subjectOf'>) {
  const held = new Map<string, string>();
  return {
    async of(accountId: string): Promise<string> {
      const known = held.get(accountId);
      if (known !== undefined) return known;
      const subject = await store.subjectOf(accountId, newId('sub_'));
      if (held.size >= MOST_HELD) held.clear();
      held.set(accountId, subject);
      return subject;
    },
    forget: (accountId: string) => void held.delete(accountId),
  };
}
