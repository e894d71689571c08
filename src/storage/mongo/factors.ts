import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { AccountFactors, FactorStore } from '../../factors/store.ts';
import { EVERYDAY, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { isDuplicateKey } from './errors.ts';

type StoredFactors = Omit<AccountFactors, 'account_id'> & { _id: string };

const fields: Fields<StoredFactors> = {
  _id: String,
  totp: Object,
  recovery_codes: Object,
  devices: [Object],
  asked_at: String,
  version: Number,
};
const schema = new Schema<StoredFactors>(fields, SCHEMA_OPTIONS);

export function factorStore(connection: Connection): FactorStore {
  const model = connection.model('AccountFactors', schema, 'account_factors');

  async function insert(stored: StoredFactors): Promise<boolean> {
    try {
      await model.create([stored], { validateBeforeSave: false });
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return false;
    }
  }

  return {
    async find(accountId) {
      const found = await model.findOne({ _id: accountId }).lean<StoredFactors | null>();
      if (!found) return undefined;
      const { _id, ...rest } = found;
      return { account_id: _id, ...rest };
    },
    async put({ account_id: _id, ...factors }, options) {
      const next = { ...factors, version: factors.version + 1 };
      if (factors.version === 0) return insert({ _id, ...next });
      // `$set` rather than a replacement: what a newer program has added beside our fields stays.
      const { matchedCount } = await model
        .updateOne({ _id, version: factors.version }, { $set: next }, options?.durable === false ? EVERYDAY : {})
        .exec();
      return matchedCount === 1;
    },
    async listInOrder(after, limit) {
      const found = await model
        .find({ _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<StoredFactors[]>();
      return found.map(({ _id, ...rest }) => ({ account_id: _id, ...rest }));
    },
    delete: async (accountId) => (await model.deleteMany({ _id: accountId })).deletedCount > 0,
  };
}
