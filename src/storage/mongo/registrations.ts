import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { InitialToken, Registration, RegistrationStore } from '../../clients/registrations.ts';
import { EVERYDAY, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';

type StoredRegistration = Omit<Registration, 'client_id'> & { _id: string };

const tokenFields: Fields<Stored<InitialToken>> = {
  _id: String,
  name: String,
  token_hash: String,
  created_at: String,
  expires_at: Number,
  most_uses: Number,
  uses: Number,
};
const tokenSchema = new Schema<Stored<InitialToken>>(tokenFields, SCHEMA_OPTIONS);
tokenSchema.index({ token_hash: 1 }, { unique: true });

const fields: Fields<StoredRegistration> = {
  _id: String,
  token_hash: String,
  initial_token: String,
  created_at: String,
  used_at: String,
};
const schema = new Schema<StoredRegistration>(fields, SCHEMA_OPTIONS);
schema.index({ used_at: 1 });

const toToken = ({ _id, ...rest }: Stored<InitialToken>): InitialToken => ({ id: _id, ...rest });
const toRegistration = ({ _id, ...rest }: StoredRegistration): Registration => ({ client_id: _id, ...rest });

export function registrationStore(connection: Connection): RegistrationStore {
  const tokens = connection.model('RegistrationToken', tokenSchema, 'registration_tokens');
  const model = connection.model('Registration', schema, 'registrations');
  return {
    addToken: async ({ id, ...rest }) =>
      void (await tokens.create([{ _id: id, ...rest }], { validateBeforeSave: false })),
    async useToken(token_hash, now) {
      const usable = {
        token_hash,
        $and: [
          { $or: [{ expires_at: null }, { expires_at: { $gt: now } }] },
          { $or: [{ most_uses: null }, { $expr: { $lt: ['$uses', '$most_uses'] } }] },
        ],
      };
      const used = await tokens
        .findOneAndUpdate(usable, { $inc: { uses: 1 } }, { returnDocument: 'after' })
        .lean<Stored<InitialToken> | null>();
      return used ? toToken(used) : undefined;
    },
    giveBackUse: async (_id) => void (await tokens.updateOne({ _id, uses: { $gt: 0 } }, { $inc: { uses: -1 } })),
    async listTokens() {
      const all = await tokens.find().sort({ created_at: 1, _id: 1 }).lean<Stored<InitialToken>[]>();
      return all.map(toToken);
    },
    removeToken: async (_id) => (await tokens.deleteMany({ _id })).deletedCount > 0,
    add: async ({ client_id, ...rest }) =>
      void (await model.create([{ _id: client_id, ...rest }], { validateBeforeSave: false })),
    async find(clientId) {
      const found = await model.findOne({ _id: clientId }).lean<StoredRegistration | null>();
      return found ? toRegistration(found) : undefined;
    },
    replaceTokenHash: async (_id, from, to) =>
      (await model.updateOne({ _id, token_hash: from }, { $set: { token_hash: to } })).matchedCount > 0,
    noteUse: async (_id, at) =>
      void (await model.updateOne({ _id, used_at: { $lt: at } }, { $set: { used_at: at } }, EVERYDAY)),
    async listUnused(before, limit) {
      const found = await model
        .find({ used_at: { $lt: before } })
        .sort({ used_at: 1 })
        .limit(limit)
        .lean<StoredRegistration[]>();
      return found.map(toRegistration);
    },
    remove: async (_id) => (await model.deleteMany({ _id })).deletedCount > 0,
  };
}
