import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Delivery, DeliveryState, LogoutStore, Outcome, SessionApp, SessionAppStore } from '../../logout/store.ts';
import { EVERYDAY, following, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { upserting } from './upserting.ts';

interface StoredApp extends Omit<SessionApp, 'expires_at'> {
  _id: string;
  /** A date, since the server's own sweeper (TTL index) goes by it. */
  expires_at: Date;
}
const appFields: Fields<StoredApp> = {
  _id: String,
  session_key: String,
  app_key: String,
  account_key: String,
  offline: Boolean,
  ended: Boolean,
  sealed: Buffer,
  expires_at: Date,
};
const appSchema = new Schema<StoredApp>(appFields, SCHEMA_OPTIONS);
appSchema.index({ session_key: 1 });
appSchema.index({ account_key: 1 });
appSchema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

const fields: Fields<Stored<Delivery>> = {
  _id: String,
  logout_id: String,
  client_id: String,
  cause: String,
  state: String,
  sealed: Buffer,
  created_at: String,
  due_at: Number,
  give_up_at: Number,
  attempts: Number,
  refusals: Number,
  problem: String,
  settled_at: Number,
};
const schema = new Schema<Stored<Delivery>>(fields, SCHEMA_OPTIONS);
schema.index({ logout_id: 1 });
schema.index({ state: 1, due_at: 1, created_at: 1, _id: 1 });
schema.index({ state: 1, created_at: 1, _id: 1 });
schema.index({ state: 1, settled_at: 1 });

const IN_ORDER = { created_at: 1, _id: 1 } as const;
const toDate = (seconds: number): Date => new Date(seconds * 1000);
const idOf = ({ session_key, app_key }: Pick<SessionApp, 'session_key' | 'app_key'>) => `${session_key}.${app_key}`;

function fromStoredApp({ expires_at, ...stored }: StoredApp): SessionApp {
  const { session_key, app_key, account_key, offline, ended, sealed } = stored;
  return { session_key, app_key, account_key, offline, ended, sealed, expires_at: expires_at.getTime() / 1000 };
}

function toStored({ id, sealed, ...rest }: Delivery): Stored<Delivery> {
  return { _id: id, ...rest, sealed: sealed && Buffer.from(sealed) };
}
const fromStored = ({ _id, ...rest }: Stored<Delivery>): Delivery => ({ id: _id, ...rest });

function change(outcome: Outcome) {
  if (outcome.state === 'confirmed') return { $set: { ...outcome, sealed: null, problem: null } };
  const { refused, ...rest } = outcome;
  return { $set: rest, $inc: { refusals: Number(refused) } };
}

function appCollection(connection: Connection): SessionAppStore {
  const model = connection.model('SessionApp', appSchema, 'session_apps');

  async function find(filter: { session_key: string } | { account_key: string }, now: number): Promise<SessionApp[]> {
    const found = await model.find({ ...filter, expires_at: { $gt: toDate(now) } }).lean<StoredApp[]>();
    return found.map(fromStoredApp);
  }

  return {
    async noteApp({ session_key, app_key, account_key, offline, ended, sealed, expires_at }) {
      const _id = idOf({ session_key, app_key });
      const first = { session_key, app_key, account_key, sealed: Buffer.from(sealed) };
      const renewed = { ended, ...(offline ? { offline } : {}) };
      await upserting(() =>
        model
          .updateOne(
            { _id },
            {
              $set: renewed,
              $max: { expires_at: toDate(expires_at) },
              $setOnInsert: { ...first, ...(offline ? {} : { offline }) },
            },
            { upsert: true, ...EVERYDAY },
          )
          .exec(),
      );
    },
    appsOfSession: (session_key, now) => find({ session_key }, now),
    appsOfAccount: (account_key, now) => find({ account_key }, now),
    prolongSession: async (session_key, until) =>
      void (await model.updateMany({ session_key }, { $max: { expires_at: toDate(until) } }, EVERYDAY)),
    async endApps(apps) {
      const named = { _id: { $in: apps.map(idOf) } };
      await model.updateMany({ ...named, offline: true }, { $set: { ended: true } });
      await model.deleteMany({ ...named, offline: false });
    },
    removeApps: async (apps) => void (await model.deleteMany({ _id: { $in: apps.map(idOf) } })),
    async listApps(after, limit) {
      const found = await model
        .find(after ? { _id: { $gt: idOf(after) } } : {})
        .sort({ _id: 1 })
        .limit(limit)
        .lean<StoredApp[]>();
      return found.map(fromStoredApp);
    },
    async resealApp(app, sealed) {
      const before = { _id: idOf(app), sealed: Buffer.from(app.sealed) };
      return (await model.updateOne(before, { $set: { sealed: Buffer.from(sealed) } })).matchedCount === 1;
    },
    // The TTL index does it.
    sweepApps: async () => 0,
  };
}

export function logoutStore(connection: Connection): LogoutStore {
  const model = connection.model('LogoutDelivery', schema, 'logout_deliveries');
  const waitingAt = (now: number) => ({ state: 'waiting' as const, due_at: { $lte: now } });

  return {
    ...appCollection(connection),
    // One by one: a duplicate in the middle of many would hold up those behind it.
    async insert(deliveries) {
      for (const one of deliveries) {
        try {
          await model.create([toStored(one)], { validateBeforeSave: false });
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
      }
    },
    async find(id) {
      const found = await model.findOne({ _id: id }).lean<Stored<Delivery> | null>();
      return found ? fromStored(found) : undefined;
    },
    async listOf(logout_id) {
      const found = await model.find({ logout_id, client_id: { $ne: null } }).lean<Stored<Delivery>[]>();
      return found.map(fromStored);
    },
    async list(state, page) {
      const { position, limit } = readPageRequest(page);
      const found = await model
        .find({ state, ...(position ? following(position) : {}) })
        .sort(IN_ORDER)
        .limit(limit + 1)
        .lean<Stored<Delivery>[]>();
      return toPage(found.map(fromStored), limit);
    },
    isDue: async (now) => (await model.exists(waitingAt(now))) !== null,
    async claim(now, until, except) {
      const free = { ...waitingAt(now), ...(except.length > 0 ? { client_id: { $nin: except } } : {}) };
      for (;;) {
        const next = await model
          .findOne(free)
          .sort({ due_at: 1, ...IN_ORDER })
          .lean<Stored<Delivery> | null>();
        if (!next) return undefined;
        const { _id, attempts } = next;
        const changed = { attempts: attempts + 1, due_at: until, problem: null };
        const { matchedCount } = await model.updateOne({ _id, attempts, ...waitingAt(now) }, { $set: changed });
        if (matchedCount === 1) return fromStored({ ...next, ...changed });
      }
    },
    async settle(id, attempt, outcome) {
      const ours = { _id: id, attempts: attempt, state: 'waiting' as const };
      return (await model.updateOne(ours, change(outcome))).matchedCount === 1;
    },
    async retry(id, now, give_up_at) {
      const state: { $in: DeliveryState[] } = { $in: ['waiting', 'given_up'] };
      const again = { state: 'waiting', due_at: now, give_up_at, settled_at: null } as const;
      return (await model.updateOne({ _id: id, state, problem: { $ne: null } }, { $set: again })).matchedCount === 1;
    },
    async reseal(id, seen, sealed) {
      const before = { _id: id, sealed: Buffer.from(seen) };
      return (await model.updateOne(before, { $set: { sealed: Buffer.from(sealed) } })).matchedCount === 1;
    },
    remove: async (id) => void (await model.deleteMany({ _id: id })),
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
