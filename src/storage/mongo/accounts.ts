import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import { wordsOfAccount } from '../../accounts/account.ts';
import type { Account } from '../../accounts/account.ts';
import type { AccountStore } from '../../accounts/store.ts';
import { documentCollection, whereString } from './documents.ts';
import type { BuildsWords, Fields, Stored } from './documents.ts';

const fields: Fields<Stored<Account>> = {
  _id: String,
  email: String,
  email_normalized: String,
  email_verified: Boolean,
  name: String,
  picture: String,
  claims: Schema.Types.Mixed,
  roles: [String],
  groups: { type: [String], default: undefined },
  state: String,
  erase_at: String,
  password_hash: String,
  must_change_password: Boolean,
  created_at: String,
  updated_at: String,
  last_sign_in_at: String,
  version: Number,
};

export function accountStore(connection: Connection): AccountStore & BuildsWords {
  const { findByUnique, model, ...rest } = documentCollection<Account>(connection, {
    name: 'Account',
    collection: 'accounts',
    fields,
    uniqueField: 'email_normalized',
    taken: { message: 'the e-mail address is taken', field: 'email' },
    wordsOf: wordsOfAccount,
    extraIndexes: [[{ erase_at: 1 }, whereString('erase_at')]],
  });
  return {
    ...rest,
    findByEmail: findByUnique,
    async listToErase(now, limit) {
      const due = { erase_at: { $gt: '', $lte: now } };
      const found = await model.find(due, { _id: 1 }).sort({ erase_at: 1 }).limit(limit).lean<{ _id: string }[]>();
      return found.map(({ _id }) => _id);
    },
  };
}
