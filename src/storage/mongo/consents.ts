import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Consent } from '../../consents/consent.ts';
import type { ConsentStore } from '../../consents/store.ts';
import { EVERYDAY, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields } from './documents.ts';
import { upserting } from './upserting.ts';

interface StoredConsent extends Omit<Consent, 'resources'> {
  /** Of account and client: one consent each. */
  _id: string;
  /** As a list: resource indicators are URLs, and field names with dots are a trap. */
  resources: { resource: string; scopes: string[] }[];
}

const fields: Fields<StoredConsent> = {
  _id: String,
  account_id: String,
  client_id: String,
  scopes: [String],
  declined: [String],
  resources: [{ _id: false, resource: String, scopes: [String] }],
  claims: { type: [String], default: undefined },
  created_at: String,
  updated_at: String,
  last_used_at: String,
};
const schema = new Schema<StoredConsent>(fields, SCHEMA_OPTIONS);
schema.index({ account_id: 1 });
schema.index({ client_id: 1 });

const WITHOUT_ID = { _id: 0 } as const;

const idOf = (accountId: string, clientId: string): string => JSON.stringify([accountId, clientId]);

function toStored({ resources, ...rest }: Consent): StoredConsent {
  const _id = idOf(rest.account_id, rest.client_id);
  return { _id, ...rest, resources: Object.entries(resources).map(([resource, scopes]) => ({ resource, scopes })) };
}

function fromStored({ resources, ...rest }: Omit<StoredConsent, '_id'>): Consent {
  return { ...rest, resources: Object.fromEntries(resources.map(({ resource, scopes }) => [resource, scopes])) };
}

export function consentStore(connection: Connection): ConsentStore {
  const model = connection.model('Consent', schema, 'consents');
  return {
    async find(accountId, clientId) {
      const found = await model.findOne({ _id: idOf(accountId, clientId) }, WITHOUT_ID).lean<StoredConsent | null>();
      return found ? fromStored(found) : undefined;
    },
    async put(consent, { durable } = { durable: true }) {
      const { _id, ...rest } = toStored(consent);
      await upserting(() => model.replaceOne({ _id }, rest, { upsert: true, ...(durable ? {} : EVERYDAY) }).exec());
    },
    async listByAccount(account_id) {
      return (await model.find({ account_id }, WITHOUT_ID).lean<StoredConsent[]>()).map(fromStored);
    },
    listByClient: async (client_id, limit) =>
      (await model.find({ client_id }, WITHOUT_ID).sort({ account_id: 1 }).limit(limit).lean<StoredConsent[]>()).map(
        fromStored,
      ),
    noteUse: async (accountId, clientId, at) =>
      void (await model.updateOne(
        { _id: idOf(accountId, clientId), last_used_at: { $not: { $gte: at } } },
        { $set: { last_used_at: at } },
        EVERYDAY,
      )),
    delete: async (accountId, clientId) =>
      (await model.deleteMany({ _id: idOf(accountId, clientId) })).deletedCount > 0,
    deleteByAccount: async (account_id) => void (await model.deleteMany({ account_id })),
    deleteByClient: async (client_id) => void (await model.deleteMany({ client_id })),
  };
}
