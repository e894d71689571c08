/** Takes people over from files and gives them out, in batches, so that memory does not grow with their number. */
import type { Account } from '../account.ts';
import type { AccountStore } from '../store.ts';
import type { ReadRow } from './read.ts';
import { accountOf, faultOf, rowOf } from './row.ts';
import type { PersonRow } from './row.ts';

/** Small enough that a transaction holds up nobody who signs in meanwhile. */
const BATCH = 100;

/** What became of a row: `exists` where its e-mail has an account already, with the same `sub` if the row names one. */
export interface RowOutcome {
  /** Where the row begins in the file, from 1. */
  line: number;
  outcome: 'imported' | 'exists' | 'bad';
  /** Why it is bad, in words without its values. */
  reason?: string;
}

export interface Moving {
  /**
   * Takes rows over; a bad one keeps none of the others back. Rows of an earlier run are found again as `exists`.
   * @param options `dryRun`: everything is looked at, nothing written.
   * @returns what became of each row, in their order, a batch at a time once that batch is durable.
   */
  importPeople(rows: AsyncIterable<ReadRow>, options?: { dryRun?: boolean }): AsyncGenerator<RowOutcome[]>;
  /** Everybody, oldest first. */
  exportPeople(options: { withPasswordHash: boolean }): AsyncGenerator<PersonRow>;
}

interface Needs {
  store: AccountStore;
  /** Who may still want an address back that was theirs until just now: nobody else gets it meanwhile. */
  reservedFor: (emailNormalized: string) => Promise<string | undefined>;
  /** A group is what its record says, so that nobody is in one that has none. */
  isGroup: (name: string) => Promise<boolean>;
}

interface Judged {
  line: number;
  /** Whether the row names its `sub`. */
  named: boolean;
  account?: Account;
  reason?: string;
}

function judge({ line, value, fault }: ReadRow): Judged {
  if (fault !== undefined) return { line, named: false, reason: fault };
  try {
    const account = accountOf(value);
    return { line, named: (value as PersonRow).sub !== undefined, account };
  } catch (error) {
    return { line, named: false, reason: faultOf(error) };
  }
}

async function* inBatches(rows: AsyncIterable<ReadRow>): AsyncGenerator<ReadRow[]> {
  let batch: ReadRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

export function createMoving({ store, reservedFor, isGroup }: Needs): Moving {
  async function outcomeOfTaken({ line, named }: Judged, { id, email_normalized }: Account): Promise<RowOutcome> {
    const holder = await store.findByEmail(email_normalized);
    if (!holder) return { line, outcome: 'bad', reason: 'sub belongs to an account with another e-mail' };
    if (!named || holder.id === id) return { line, outcome: 'exists' };
    return { line, outcome: 'bad', reason: 'email belongs to an account with another sub' };
  }

  async function reserve(judged: Judged): Promise<Judged> {
    if (!judged.account) return judged;
    for (const group of judged.account.groups ?? [])
      if (!(await isGroup(group)))
        return { line: judged.line, named: false, reason: 'groups names one that there is not' };
    const holder = await reservedFor(judged.account.email_normalized);
    if (holder === undefined || holder === judged.account.id) return judged;
    return { line: judged.line, named: false, reason: 'email was given up lately and is kept for its former holder' };
  }

  const isFree = async ({ id, email_normalized }: Account): Promise<boolean> =>
    !(await store.findByEmail(email_normalized)) && !(await store.find(id));

  async function take(batch: ReadRow[], dryRun: boolean): Promise<RowOutcome[]> {
    const judged = await Promise.all(batch.map((row) => reserve(judge(row))));
    const accounts = judged.flatMap(({ account }) => account ?? []);
    const added = dryRun ? await Promise.all(accounts.map(isFree)) : await store.insertMany(accounts);
    const isAdded = new Map(accounts.map((account, index) => [account, added[index]!]));
    return Promise.all(
      judged.map(async (row): Promise<RowOutcome> => {
        const { line, account, reason } = row;
        if (!account) return { line, outcome: 'bad', ...(reason === undefined ? {} : { reason }) };
        return isAdded.get(account) ? { line, outcome: 'imported' } : outcomeOfTaken(row, account);
      }),
    );
  }

  return {
    async *importPeople(rows, { dryRun = false } = {}) {
      for await (const batch of inBatches(rows)) yield await take(batch, dryRun);
    },

    async *exportPeople(options) {
      let after: string | undefined;
      do {
        const page = await store.list({ after, limit: BATCH });
        for (const account of page.items) yield rowOf(account, options);
        after = page.next;
      } while (after !== undefined);
    },
  };
}
