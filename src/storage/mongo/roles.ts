import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { conflict, duplicate, notFound } from '../../kernel/errors.ts';
import type { RoleKind, RoleKinds, RoleRecords, RoleStore } from '../../roles/store.ts';
import { SCHEMA_OPTIONS } from './documents.ts';
import { isDuplicateKey } from './errors.ts';

interface Stored {
  /** Kind and id. */
  _id: string;
  kind: RoleKind;
  name: string;
  version: number;
  document: object;
}

const schema = new Schema<Stored>(
  { _id: String, kind: String, name: String, version: Number, document: Schema.Types.Mixed },
  SCHEMA_OPTIONS,
);
schema.index({ kind: 1, name: 1 }, { unique: true });

const keyOf = (kind: RoleKind, id: string): string => JSON.stringify([kind, id]);

async function unique<R>(name: string, work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (error) {
    throw isDuplicateKey(error) ? duplicate(`${name} is taken`, 'name') : error;
  }
}

export function roleStore(connection: Connection): RoleStore {
  const model = connection.model('RoleRecord', schema, 'role_records');
  return {
    async insert(kind, record) {
      const { id, name, version } = record;
      const stored = { _id: keyOf(kind, id), kind, name, version, document: record };
      await unique(name, model.create([stored], { validateBeforeSave: false }));
    },
    async update<K extends RoleKind>(kind: K, record: RoleKinds[K]) {
      const _id = keyOf(kind, record.id);
      const next = { ...record, version: record.version + 1 };
      const fields = { name: next.name, version: next.version, document: next };
      const { matchedCount } = await unique(
        next.name,
        model.updateOne({ _id, version: record.version }, { $set: fields }).exec(),
      );
      if (matchedCount === 1) return next;
      throw (await model.exists({ _id }))
        ? conflict('the record was changed meanwhile')
        : notFound('the record is gone');
    },
    delete: async (kind, id) => (await model.deleteMany({ _id: keyOf(kind, id) })).deletedCount > 0,
    async all() {
      const records: RoleRecords = { role: [], group: [], claims: [] };
      const found = await model.find().sort({ kind: 1, name: 1 }).lean<Stored[]>();
      for (const { kind, document } of found) records[kind].push(document as never);
      return records;
    },
    // No counter could be kept in one step with the record. They are few: what is there, in which version, says it all.
    async version() {
      const found = await model
        .find({}, { version: 1, 'document.updated_at': 1 })
        .sort({ _id: 1 })
        .lean<{ _id: string; version: number; document: { updated_at: string } }[]>();
      return found.map(({ _id, version, document }) => `${_id} ${version} ${document.updated_at}`).join('\n');
    },
  };
}
