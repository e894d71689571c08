/** The addresses an account had lately: what may be undone, and what nobody else may take meanwhile. */
import type { Account } from '../accounts/account.ts';
import { normalizeEmail } from '../accounts/email.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

export interface EmailHistory {
  /** Notes the address that an account is about to leave. */
  add(account: Pick<Account, 'id'>, change: { id: string; from: string }): Promise<void>;
  /** Whether a change may still be undone. */
  has(accountId: string, changeId: string): Promise<boolean>;
  /** Forgets a change and all that came after it. */
  cutFrom(accountId: string, changeId: string): Promise<void>;
  /** The account that had the address and may have it back. */
  reservedFor(emailNormalized: string): Promise<string | undefined>;
}

interface Entry {
  id: string;
  until: number;
}

const KIND = 'EmailHistory';
const RESERVED = 'ReservedEmail';

/** @param ttl how long a change may be undone, in seconds. */
export function createEmailHistory({ records, ttl }: { records: SealedRecords; ttl: number }): EmailHistory {
  const entriesOf = (payload: unknown): Entry[] =>
    ((payload as { entries?: Entry[] } | undefined)?.entries ?? []).filter(({ until }) => until > epochSeconds());

  return {
    async add({ id: accountId }, { id, from }) {
      await records.upsert(RESERVED, normalizeEmail(from), { account: accountId }, ttl);
      const entry = { id, until: epochSeconds() + ttl };
      await records.change(KIND, accountId, (current) => ({ entries: [...entriesOf(current), entry] }), ttl);
    },
    has: async (accountId, changeId) =>
      entriesOf(await records.find(KIND, accountId)).some(({ id }) => id === changeId),
    async cutFrom(accountId, changeId) {
      await records.change(
        KIND,
        accountId,
        (current) => {
          const entries = entriesOf(current);
          const index = entries.findIndex(({ id }) => id === changeId);
          return { entries: index < 0 ? entries : entries.slice(0, index) };
        },
        ttl,
      );
    },
    async reservedFor(email) {
      const found = await records.find(RESERVED, email);
      return found === undefined ? undefined : String(found['account']);
    },
  };
}
