import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Account } from '../../accounts/account.ts';
import type { AccountStore } from '../../accounts/store.ts';
import { documentCollection } from './documents.ts';
import type { Fields, Stored } from './documents.ts';

const fields: Fields<Stored<Account>> = {
  _id: String,
  email: String,
  email_normalized: String,
  email_verified: Boolean,
  name: String,
  picture: String,
  claims: Schema.Types.Mixed,
  roles: [String],
  state: String,
  password_hash: String,
  created_at: String,
  updated_at: String,
  last_sign_in_at: String,
  version: Number,
};

export function accountStore(connection: Connection): AccountStore {
  const { findByUnique, ...rest } = documentCollection<Account>(connection, {
    name: 'Account',
    collection: 'accounts',
    fields,
    uniqueField: 'email_normalized',
    taken: { message: 'the e-mail address is taken', field: 'email' },
  });
  return { ...rest, findByEmail: findByUnique };
}
