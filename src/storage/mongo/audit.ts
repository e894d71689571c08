import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { AuditEvent } from '../../audit/event.ts';
import type { AuditStore } from '../../audit/store.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Position } from '../../kernel/paging.ts';
import { EVERYDAY, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';

const fields: Fields<Stored<AuditEvent>> = {
  _id: String,
  type: { type: String },
  account_id: String,
  actor: String,
  network: String,
  device: String,
  detail: Schema.Types.Mixed,
  created_at: String,
};
const schema = new Schema<Stored<AuditEvent>>(fields, SCHEMA_OPTIONS);
schema.index({ account_id: 1, created_at: 1, _id: 1 });
schema.index({ created_at: 1 });

const preceding = ([at, id]: Position) => ({
  $or: [{ created_at: { $lt: at } }, { created_at: at, _id: { $lt: id } }],
});

export function auditStore(connection: Connection): AuditStore {
  const model = connection.model('AuditEvent', schema, 'audit_events');
  return {
    async append({ id, ...rest }) {
      await model.create([{ _id: id, ...rest }], { validateBeforeSave: false, ...EVERYDAY });
    },
    async listByAccount(account_id, page) {
      const { position, limit } = readPageRequest(page);
      const before = position ? preceding(position) : {};
      const found = await model
        .find({ account_id, ...before })
        .sort({ created_at: -1, _id: -1 })
        .limit(limit + 1)
        .lean<Stored<AuditEvent>[]>();
      return toPage(
        found.map(({ _id, ...rest }) => ({ id: _id, ...rest })),
        limit,
      );
    },
    async pseudonymize(account_id, pseudonym) {
      const without = { account_id: pseudonym, network: null, device: null, detail: {} };
      await model.updateMany({ account_id }, { $set: without });
    },
    async purge(before, limit) {
      const old = await model
        .find({ created_at: { $lt: before } }, { _id: 1 })
        .limit(limit)
        .lean<{ _id: string }[]>();
      return (await model.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } })).deletedCount;
    },
  };
}
