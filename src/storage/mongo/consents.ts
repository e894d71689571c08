import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Consent } from '../../consents/consent.ts';
import type { ConsentStore } from '../../consents/store.ts';
import { SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { upserting } from './upserting.ts';

interface StoredConsent extends Omit<Consent, 'resources'> {
  /** As a list: resource indicators are URLs, and field names with dots are a trap. */
  resources: { resource: string; scopes: string[] }[];
}

const fields: Fields<StoredConsent> = {
  account_id: String,
  client_id: String,
  scopes: [String],
  declined: [String],
  resources: [{ _id: false, resource: String, scopes: [String] }],
  created_at: String,
  updated_at: String,
};
const schema = new Schema<StoredConsent>(fields, SCHEMA_OPTIONS);
schema.index({ account_id: 1, client_id: 1 }, { unique: true });
schema.index({ client_id: 1 });

function toStored({ resources, ...rest }: Consent): StoredConsent {
  return { ...rest, resources: Object.entries(resources).map(([resource, scopes]) => ({ resource, scopes })) };
}

function fromStored({ resources, ...rest }: StoredConsent): Consent {
  return { ...rest, resources: Object.fromEntries(resources.map(({ resource, scopes }) => [resource, scopes])) };
}

export function consentStore(connection: Connection): ConsentStore {
  const model = connection.model('Consent', schema, 'consents');
  return {
    async find(account_id, client_id) {
      const found = await model.findOne({ account_id, client_id }, { _id: 0 }).lean<StoredConsent | null>();
      return found ? fromStored(found) : undefined;
    },
    async put(consent) {
      const { account_id, client_id } = consent;
      await upserting(() => model.replaceOne({ account_id, client_id }, toStored(consent), { upsert: true }).exec());
    },
    async listByAccount(account_id) {
      return (await model.find({ account_id }, { _id: 0 }).lean<StoredConsent[]>()).map(fromStored);
    },
    delete: async (account_id, client_id) => (await model.deleteOne({ account_id, client_id })).deletedCount > 0,
    deleteByAccount: async (account_id) => void (await model.deleteMany({ account_id })),
    deleteByClient: async (client_id) => void (await model.deleteMany({ client_id })),
  };
}
