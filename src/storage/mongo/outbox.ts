import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { MailState, Outcome, OutboxStore, QueuedMail } from '../../mail/store.ts';
import { following, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { createTurns } from './turns.ts';

const fields: Fields<Stored<QueuedMail>> = {
  _id: String,
  template: String,
  state: String,
  sealed: Buffer,
  created_at: String,
  due_at: Number,
  give_up_at: Number,
  attempts: Number,
  problem: Buffer,
  settled_at: Number,
};
const schema = new Schema<Stored<QueuedMail>>(fields, SCHEMA_OPTIONS);
schema.index({ state: 1, due_at: 1, created_at: 1, _id: 1 });
schema.index({ state: 1, created_at: 1, _id: 1 });
schema.index({ state: 1, settled_at: 1 });

interface Lease {
  _id: string;
  holder: string;
  until: number;
}
const leaseFields: Fields<Lease> = { _id: String, holder: String, until: Number };
const leaseSchema = new Schema<Lease>(leaseFields, SCHEMA_OPTIONS);
const LEASE = 'outbox';

const IN_ORDER = { created_at: 1, _id: 1 } as const;
const BY_DUE = { due_at: 1, ...IN_ORDER } as const;

function toStored({ id, sealed, problem, ...rest }: QueuedMail): Stored<QueuedMail> {
  return { _id: id, ...rest, sealed: sealed && Buffer.from(sealed), problem: problem && Buffer.from(problem) };
}

const fromStored = ({ _id, ...rest }: Stored<QueuedMail>): QueuedMail => ({ id: _id, ...rest });

function change(outcome: Outcome): Partial<Stored<QueuedMail>> {
  if (outcome.state === 'sent') return { ...outcome, sealed: null, problem: null };
  return { ...outcome, problem: Buffer.from(outcome.problem) };
}

export function outboxStore(connection: Connection): OutboxStore {
  const model = connection.model('QueuedMail', schema, 'outbox');
  const leases = connection.model('Lease', leaseSchema, 'leases');
  const inTurn = createTurns();

  /** Runs an insert or upsert. @returns false where a unique key refused it. */
  async function unlessTaken(write: () => Promise<boolean>): Promise<boolean> {
    try {
      return await write();
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  const waitingAt = (now: number) => ({ state: 'waiting' as const, due_at: { $lte: now } });

  return {
    insert: (mail) =>
      inTurn(mail.id, () =>
        unlessTaken(async () => {
          await model.create([toStored(mail)], { validateBeforeSave: false });
          return true;
        }),
      ),
    async find(id) {
      const found = await model.findOne({ _id: id }).lean<Stored<QueuedMail> | null>();
      return found ? fromStored(found) : undefined;
    },
    async list(state, page) {
      const { position, limit } = readPageRequest(page);
      const found = await model
        .find({ state, ...(position ? following(position) : {}) })
        .sort(IN_ORDER)
        .limit(limit + 1)
        .lean<Stored<QueuedMail>[]>();
      return toPage(found.map(fromStored), limit);
    },
    isDue: async (now) => (await model.exists(waitingAt(now))) !== null,
    // Held by somebody else, the lease does not match: the server tries to insert and meets its key.
    lease: (holder, now, until) =>
      inTurn(LEASE, () =>
        unlessTaken(async () => {
          const free = { _id: LEASE, $or: [{ holder }, { until: { $lte: now } }] };
          await leases.updateOne(free, { $set: { holder, until } }, { upsert: true });
          return true;
        }),
      ),
    release: async (holder) => void (await leases.deleteMany({ _id: LEASE, holder })),
    async claim(now, until) {
      for (;;) {
        const next = await model.findOne(waitingAt(now)).sort(BY_DUE).lean<Stored<QueuedMail> | null>();
        if (!next) return undefined;
        const { _id, attempts } = next;
        const changed = { attempts: attempts + 1, due_at: until, problem: null };
        const { matchedCount } = await model.updateOne({ _id, attempts, ...waitingAt(now) }, { $set: changed });
        if (matchedCount === 1) return fromStored({ ...next, ...changed });
      }
    },
    async settle(id, attempt, outcome) {
      const ours = { _id: id, attempts: attempt, state: 'waiting' as const };
      return (await model.updateOne(ours, { $set: change(outcome) })).matchedCount === 1;
    },
    async retry(id, now, give_up_at) {
      const state: { $in: MailState[] } = { $in: ['waiting', 'given_up'] };
      const again = { state: 'waiting', due_at: now, give_up_at, settled_at: null } as const;
      return (await model.updateOne({ _id: id, state, problem: { $ne: null } }, { $set: again })).matchedCount === 1;
    },
    async reseal(id, column, seen, sealed) {
      const before = { _id: id, [column]: Buffer.from(seen) };
      return (await model.updateOne(before, { $set: { [column]: Buffer.from(sealed) } })).matchedCount === 1;
    },
    async purge(state, before, limit) {
      const old = await model
        .find({ state, settled_at: { $lte: before, $gt: 0 } }, { _id: 1 })
        .limit(limit)
        .lean<{ _id: string }[]>();
      if (old.length === 0) return 0;
      return (await model.deleteMany({ _id: { $in: old.map(({ _id }) => _id) }, state })).deletedCount;
    },
  };
}
