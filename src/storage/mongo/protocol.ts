import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { epochSeconds } from '../../kernel/clock.ts';
import type { ProtocolRecord, ProtocolStore } from '../../protocol/store.ts';
import { EVERYDAY, SCHEMA_OPTIONS, whereString } from './documents.ts';
import type { Fields } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { upserting } from './upserting.ts';

interface StoredRecord extends Omit<ProtocolRecord, 'key' | 'expires_at' | 'consumed_at'> {
  _id: string;
  /** A date, since the server's own sweeper (TTL index) goes by it. */
  expires_at: Date | null;
  /** Absent while unused. */
  consumed_at?: number;
}

const fields: Fields<StoredRecord> = {
  _id: String,
  kind: String,
  sealed: Buffer,
  expires_at: Date,
  consumed_at: Number,
  grant_key: String,
  uid_key: String,
  user_code_key: String,
  account_key: String,
  session_key: String,
};
const schema = new Schema<StoredRecord>(fields, SCHEMA_OPTIONS);
for (const column of ['grant_key', 'uid_key', 'user_code_key', 'account_key', 'session_key']) {
  schema.index({ [column]: 1 }, whereString(column));
}
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });
schema.index({ kind: 1, expires_at: -1, _id: -1 }, { partialFilterExpression: { account_key: { $gt: '' } } });

const toDate = (seconds: number): Date => new Date(seconds * 1000);
const notExpired = () => ({ expires_at: { $not: { $lte: toDate(epochSeconds()) } } });

function toStored({ key, sealed, expires_at, consumed_at, ...rest }: ProtocolRecord): StoredRecord {
  return {
    _id: key,
    ...rest,
    sealed: Buffer.from(sealed),
    expires_at: expires_at === null ? null : toDate(expires_at),
    ...(consumed_at === null ? {} : { consumed_at }),
  };
}

function fromStored({ _id, expires_at, consumed_at, ...rest }: StoredRecord): ProtocolRecord {
  return { key: _id, ...rest, expires_at: expires_at && expires_at.getTime() / 1000, consumed_at: consumed_at ?? null };
}

const signedIn = () => ({ kind: 'Session', account_key: { $gt: '' }, expires_at: { $gt: toDate(epochSeconds()) } });

/** Every write is durable (the connection's default) except where it says `EVERYDAY`. */
export function protocolStore(connection: Connection): ProtocolStore {
  const model = connection.model('ProtocolRecord', schema, 'protocol_records');

  async function find(filter: {
    _id?: string;
    uid_key?: string;
    user_code_key?: string;
  }): Promise<ProtocolRecord | undefined> {
    const found = await model.findOne({ ...filter, ...notExpired() }).lean<StoredRecord | null>();
    return found ? fromStored(found) : undefined;
  }

  const grantsOf = (filter: { account_key?: string; session_key?: string }): Promise<string[]> =>
    model.distinct('grant_key', { ...filter, grant_key: { $gt: '' } }).exec();

  // Grants and sessions go before what descends from them: after a crash in between, a token whose grant is gone is refused.
  async function revoke(
    grantKeys: string[],
    also: ({ account_key: string; uid_key?: { $ne: string } } | { uid_key: string })[] = [],
  ): Promise<void> {
    await model.deleteMany({ $or: [{ _id: { $in: grantKeys } }, ...also] });
    await model.deleteMany({ grant_key: { $in: grantKeys } });
  }

  return {
    async upsert(record, options) {
      const { _id, consumed_at, ...columns } = toStored(record);
      // `$min` takes the value where there is none and else lets the earliest use stand.
      const used = consumed_at === undefined ? {} : { $min: { consumed_at } };
      await upserting(() =>
        model
          .updateOne({ _id }, { $set: columns, ...used }, { upsert: true, ...(options?.durable ? {} : EVERYDAY) })
          .exec(),
      );
    },
    // A record's id cannot change: who takes the old one away may put the new one in its place. A crash in between ends it.
    async move(fromKey, record) {
      const { _id, ...columns } = toStored(record);
      if (fromKey === _id)
        return (await model.updateOne({ _id, ...notExpired() }, { $set: columns })).matchedCount === 1;
      if ((await model.deleteMany({ _id: fromKey, ...notExpired() })).deletedCount !== 1) return false;
      await model.create([{ _id, ...columns }]);
      return true;
    },
    async swap(record, sealed) {
      const { _id, ...columns } = toStored({ ...record, consumed_at: null });
      const seen = { _id, sealed: Buffer.from(sealed), ...notExpired() };
      return (await model.updateOne(seen, { $set: columns })).modifiedCount === 1;
    },
    async insertIfAbsent(record) {
      try {
        // An expired holder matches and is replaced. A fresh one does not, so the server tries to insert and meets its key.
        const held = { _id: record.key, expires_at: { $lte: toDate(epochSeconds()) } };
        await model.replaceOne(held, toStored(record), { upsert: true });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    find: (key) => find({ _id: key }),
    findByUid: (uidKey) => find({ uid_key: uidKey }),
    findByUserCode: (userCodeKey) => find({ user_code_key: userCodeKey }),
    async consume(key, at) {
      const unused = { _id: key, consumed_at: null, ...notExpired() };
      return (await model.updateOne(unused, { $set: { consumed_at: at } })).modifiedCount === 1;
    },
    destroy: async (key, { durable }) => void (await model.deleteMany({ _id: key }, durable ? {} : EVERYDAY)),
    async listSessions(after, limit) {
      const ends = after && toDate(after.expires_at);
      const on = ends && { $or: [{ expires_at: { $lt: ends } }, { expires_at: ends, _id: { $lt: after.key } }] };
      const found = await model
        .find({ ...signedIn(), ...on })
        .sort({ expires_at: -1, _id: -1 })
        .limit(limit)
        .lean<StoredRecord[]>();
      return found.map(fromStored);
    },
    countSessions: (most) => model.countDocuments(signedIn()).limit(most).exec(),
    async listByAccount(accountKey, kind) {
      const found = await model.find({ account_key: accountKey, kind, ...notExpired() }).lean<StoredRecord[]>();
      return found.map(fromStored);
    },
    async listInOrder(after, limit) {
      const found = await model
        .find({ _id: { $gt: after }, ...notExpired() })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<StoredRecord[]>();
      return found.map(fromStored);
    },
    async revokeGrant(grantKey, { withGrant }) {
      if (withGrant) return revoke([grantKey]);
      await model.deleteMany({ grant_key: grantKey, _id: { $ne: grantKey } });
    },
    revokeBySession: async (sessionKey) =>
      revoke(await grantsOf({ session_key: sessionKey }), [{ uid_key: sessionKey }]),
    revokeByAccount: async (accountKey, options) =>
      revoke(await grantsOf({ account_key: accountKey }), [
        { account_key: accountKey, ...(options && { uid_key: { $ne: options.keepUid } }) },
      ]),
    // The TTL index does it.
    sweep: async () => 0,
  };
}
