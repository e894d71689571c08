import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Passkey } from '../../factors/passkey.ts';
import type { PasskeyStore } from '../../factors/passkey-store.ts';
import { duplicate } from '../../kernel/errors.ts';
import { SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { isDuplicateKey } from './errors.ts';

/** The credential id is unique by being the document's. */
interface StoredPasskey extends Omit<Passkey, 'credential_id'> {
  _id: string;
}

const fields: Fields<StoredPasskey> = {
  _id: String,
  account_id: String,
  public_key: String,
  counter: Number,
  transports: [String],
  synced: Boolean,
  backed_up: Boolean,
  aaguid: String,
  name: String,
  created_at: String,
  last_used_at: String,
};
const schema = new Schema<StoredPasskey>(fields, SCHEMA_OPTIONS);
schema.index({ account_id: 1, created_at: 1 });

const toPasskey = ({ _id, ...rest }: StoredPasskey): Passkey => ({ credential_id: _id, ...rest });

export function passkeyStore(connection: Connection): PasskeyStore {
  const model = connection.model('Passkey', schema, 'passkeys');
  return {
    async insert({ credential_id, ...rest }) {
      try {
        await model.create([{ _id: credential_id, ...rest }], { validateBeforeSave: false });
      } catch (error) {
        throw isDuplicateKey(error) ? duplicate('the passkey is registered') : error;
      }
    },
    async find(credentialId) {
      const found = await model.findOne({ _id: credentialId }).lean<StoredPasskey | null>();
      return found ? toPasskey(found) : undefined;
    },
    async listByAccount(account_id) {
      const found = await model.find({ account_id }).sort({ created_at: 1, _id: 1 }).lean<StoredPasskey[]>();
      return found.map(toPasskey);
    },
    async noteUse(credentialId, use) {
      const forward = use.counter === 0 ? { counter: 0 } : { counter: { $lt: use.counter } };
      return (await model.updateOne({ _id: credentialId, ...forward }, { $set: use })).matchedCount > 0;
    },
    rename: async (credentialId, account_id, name) =>
      (await model.updateOne({ _id: credentialId, account_id }, { $set: { name } })).matchedCount > 0,
    delete: async (credentialId, account_id) =>
      (await model.deleteMany({ _id: credentialId, account_id })).deletedCount > 0,
    deleteByAccount: async (account_id) => void (await model.deleteMany({ account_id })),
  };
}
