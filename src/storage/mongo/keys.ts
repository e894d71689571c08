import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { fetchId } from '../../keys/fetch-id.ts';
import type { KeyRingStore, KeySetFetch, KeySetFetchStore, OldSigningKey, StoredRing } from '../../keys/store.ts';
import { EVERYDAY, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { createTurns } from './turns.ts';

interface Ring extends StoredRing {
  _id: string;
}
const ringFields: Fields<Ring> = { _id: String, version: Number, document: String };
const ringSchema = new Schema<Ring>(ringFields, SCHEMA_OPTIONS);

const oldFields: Fields<Stored<OldSigningKey>> = { _id: String, alg: String, sealed: Buffer, created_at: String };
const oldSchema = new Schema<Stored<OldSigningKey>>(oldFields, SCHEMA_OPTIONS);

export function keyRingStore(connection: Connection): KeyRingStore {
  const rings = connection.model('KeyRing', ringSchema, 'key_rings');
  const old = connection.model('OldSigningKey', oldSchema, 'signing_keys');
  const inTurn = createTurns();
  return {
    async version(name) {
      const found = await rings.findOne({ _id: name }, { version: 1 }).lean<Ring | null>();
      return found?.version ?? 0;
    },
    async read(name) {
      const found = await rings.findOne({ _id: name }).lean<Ring | null>();
      return found ? { version: found.version, document: found.document } : undefined;
    },
    async swap(name, document, seen) {
      if (seen > 0) {
        const next = { $set: { document, version: seen + 1 } };
        return (await rings.updateOne({ _id: name, version: seen }, next)).matchedCount === 1;
      }
      try {
        await inTurn(name, () => rings.create([{ _id: name, version: 1, document }], { validateBeforeSave: false }));
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async listOld() {
      const found = await old.find().sort({ created_at: 1, _id: 1 }).lean<Stored<OldSigningKey>[]>();
      return found.map(({ _id, alg, sealed, created_at }) => ({ id: _id, alg, sealed, created_at }));
    },
    deleteOld: async (ids) => void (await old.deleteMany({ _id: { $in: ids } })),
  };
}

const fetchFields: Fields<KeySetFetch & { _id: string }> = {
  _id: String,
  address: String,
  user_agent: String,
  first_at: Number,
  last_at: Number,
  fetches: Number,
};
const fetchSchema = new Schema<KeySetFetch & { _id: string }>(fetchFields, SCHEMA_OPTIONS);
fetchSchema.index({ last_at: 1 });

export function keySetFetchStore(connection: Connection): KeySetFetchStore {
  const model = connection.model('KeySetFetch', fetchSchema, 'key_set_fetches');
  const newestFirst = { last_at: -1, _id: 1 } as const;
  return {
    async add(fetches) {
      const updates = fetches.map(({ first_at, last_at, fetches: count, ...who }) => ({
        updateOne: {
          filter: { _id: fetchId(who) },
          update: { $setOnInsert: who, $min: { first_at }, $max: { last_at }, $inc: { fetches: count } },
          upsert: true,
        },
      }));
      if (updates.length > 0) await model.bulkWrite(updates, { ordered: false, ...EVERYDAY });
    },
    async list(since, limit) {
      const found = await model
        .find({ last_at: { $gte: since } }, { _id: 0 })
        .sort(newestFirst)
        .limit(limit)
        .lean<KeySetFetch[]>();
      return found;
    },
    async purge(before, keep) {
      await model.deleteMany({ last_at: { $lt: before } }, EVERYDAY);
      const beyond = await model.find({}, { _id: 1 }).sort(newestFirst).skip(keep).lean<{ _id: string }[]>();
      if (beyond.length > 0) await model.deleteMany({ _id: { $in: beyond.map(({ _id }) => _id) } }, EVERYDAY);
    },
  };
}
