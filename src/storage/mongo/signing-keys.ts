import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { duplicate } from '../../kernel/errors.ts';
import type { SigningKey, SigningKeyStore } from '../../keys/signing-key.ts';
import { SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';
import { isDuplicateKey } from './errors.ts';
import { createTurns } from './turns.ts';

const fields: Fields<Stored<SigningKey>> = {
  _id: String,
  alg: String,
  state: String,
  sealed: Buffer,
  created_at: String,
};
const schema = new Schema<Stored<SigningKey>>(fields, SCHEMA_OPTIONS);
schema.index({ alg: 1 }, { unique: true, partialFilterExpression: { state: 'active' } });

export function signingKeyStore(connection: Connection): SigningKeyStore {
  const model = connection.model('SigningKey', schema, 'signing_keys');
  const inTurn = createTurns();
  return {
    async insert({ id, sealed, ...rest }) {
      const key = { _id: id, ...rest, sealed: Buffer.from(sealed) };
      try {
        await inTurn(key.alg, () => model.create([key], { validateBeforeSave: false }));
      } catch (error) {
        throw isDuplicateKey(error) ? duplicate(`there is an active ${key.alg} key`) : error;
      }
    },
    async list() {
      const found = await model.find().sort({ created_at: 1, _id: 1 }).lean<Stored<SigningKey>[]>();
      return found.map(({ _id, ...rest }) => ({ id: _id, ...rest }));
    },
  };
}
