import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Identity, IdentityKey } from '../../federation/identity.ts';
import type { IdentityStore } from '../../federation/store.ts';
import { duplicate } from '../../kernel/errors.ts';
import { SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { isDuplicateKey } from './errors.ts';

/** Provider, issuer and subject in one: the id is unique by itself. */
interface StoredIdentity extends Identity {
  _id: string;
}

const fields: Fields<StoredIdentity> = {
  _id: String,
  provider: String,
  issuer: String,
  subject: String,
  account_id: String,
  email: String,
  created_at: String,
  last_used_at: String,
};
const schema = new Schema<StoredIdentity>(fields, SCHEMA_OPTIONS);
schema.index({ account_id: 1, created_at: 1 });

const WITHOUT_ID = { _id: 0 } as const;
const idOf = ({ provider, issuer, subject }: IdentityKey): string => JSON.stringify([provider, issuer, subject]);

export function identityStore(connection: Connection): IdentityStore {
  const model = connection.model('UpstreamIdentity', schema, 'upstream_identities');
  return {
    async insert(identity) {
      try {
        await model.create([{ _id: idOf(identity), ...identity }], { validateBeforeSave: false });
      } catch (error) {
        throw isDuplicateKey(error) ? duplicate('the upstream identity has an account') : error;
      }
    },
    async find(key) {
      return (await model.findOne({ _id: idOf(key) }, WITHOUT_ID).lean<Identity | null>()) ?? undefined;
    },
    noteUse: async (key, { email, last_used_at }) =>
      void (await model.updateOne({ _id: idOf(key) }, { $set: { email, last_used_at } })),
    listByAccount: (account_id) =>
      model.find({ account_id }, WITHOUT_ID).sort({ created_at: 1, provider: 1, subject: 1 }).lean<Identity[]>(),
    delete: async (key, account_id) => (await model.deleteMany({ _id: idOf(key), account_id })).deletedCount > 0,
    deleteByAccount: async (account_id) => void (await model.deleteMany({ account_id })),
  };
}
