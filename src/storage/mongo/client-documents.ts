import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { ClientDocument, ClientDocumentStore } from '../../clients/documents.ts';
import { EVERYDAY, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { upserting } from './upserting.ts';

type StoredDocument = Omit<ClientDocument, 'client_id'> & { _id: string };

const fields: Fields<StoredDocument> = {
  _id: String,
  fetched_at: String,
  fresh_until: String,
  used_at: String,
  denied_at: String,
  denied_reason: String,
};
const schema = new Schema<StoredDocument>(fields, SCHEMA_OPTIONS);
schema.index({ denied_at: 1, used_at: 1 });

const NEVER_READ = { fetched_at: null, fresh_until: null };
const NOT_DENIED = { denied_at: null, denied_reason: null };

const fromStored = ({ _id, ...rest }: StoredDocument): ClientDocument => ({ client_id: _id, ...rest });

export function clientDocumentStore(connection: Connection): ClientDocumentStore {
  const model = connection.model('ClientDocument', schema, 'client_documents');
  return {
    async find(_id) {
      const found = await model.findOne({ _id }).lean<StoredDocument | null>();
      return found ? fromStored(found) : undefined;
    },
    async noteRead(_id, read) {
      const made = { ...NOT_DENIED, used_at: read.fetched_at };
      await upserting(() => model.updateOne({ _id }, { $set: read, $setOnInsert: made }, { upsert: true }).exec());
    },
    noteUse: async (_id, at) =>
      void (await model.updateOne({ _id, used_at: { $lt: at } }, { $set: { used_at: at } }, EVERYDAY)),
    async deny(_id, { at, reason }) {
      const made = { ...NEVER_READ, ...NOT_DENIED, used_at: at };
      await upserting(() => model.updateOne({ _id }, { $setOnInsert: made }, { upsert: true }).exec());
      await model.updateOne({ _id, denied_at: null }, { $set: { denied_at: at } });
      await model.updateOne({ _id }, { $set: { denied_reason: reason } });
    },
    allow: async (_id) =>
      (await model.updateOne({ _id, denied_at: { $ne: null } }, { $set: NOT_DENIED })).matchedCount > 0,
    count: async () => model.countDocuments({ denied_at: null }),
    async list(after, limit) {
      const found = await model
        .find({ _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<StoredDocument[]>();
      return found.map(fromStored);
    },
    async listUnused(before, limit) {
      const found = await model
        .find({ used_at: { $lt: before }, denied_at: null })
        .sort({ used_at: 1 })
        .limit(limit)
        .lean<StoredDocument[]>();
      return found.map(fromStored);
    },
    remove: async (_id) => (await model.deleteMany({ _id })).deletedCount > 0,
  };
}
