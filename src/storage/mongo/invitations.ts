import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';
import type { Invitation, InvitationStore } from '../../accounts/invitation.ts';
import { duplicate } from '../../kernel/errors.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import { following, SCHEMA_OPTIONS } from './documents.ts';
import type { Fields, Stored } from './documents.ts';
import { isDuplicateKey } from './errors.ts';

const fields: Fields<Stored<Invitation>> = {
  _id: String,
  account_id: String,
  email: String,
  email_normalized: String,
  name: String,
  roles: [String],
  groups: { type: [String], default: undefined },
  locale: String,
  token_hash: String,
  mailed: Boolean,
  invited_by: String,
  created_at: String,
  sent_at: String,
  expires_at: String,
};
const schema = new Schema<Stored<Invitation>>(fields, SCHEMA_OPTIONS);
schema.index({ email_normalized: 1 }, { unique: true });
schema.index({ token_hash: 1 }, { unique: true });
schema.index({ created_at: 1, _id: 1 });
schema.index({ expires_at: 1 });

const toStored = ({ id, ...rest }: Invitation): Stored<Invitation> => ({ _id: id, ...rest });
const fromStored = ({ _id, ...rest }: Stored<Invitation>): Invitation => ({ id: _id, ...rest });

export function invitationStore(connection: Connection): InvitationStore {
  const model = connection.model('Invitation', schema, 'invitations');

  async function findOne(filter: Record<string, string>): Promise<Invitation | undefined> {
    const found = await model.findOne(filter).lean<Stored<Invitation> | null>();
    return found ? fromStored(found) : undefined;
  }

  return {
    async insert(invitation) {
      try {
        await model.create([toStored(invitation)], { validateBeforeSave: false });
      } catch (error) {
        if (isDuplicateKey(error)) throw duplicate('the address is invited already', 'email');
        throw error;
      }
    },
    find: (_id) => findOne({ _id }),
    findByToken: (token_hash) => findOne({ token_hash }),
    findByEmail: (email_normalized) => findOne({ email_normalized }),
    async replace(invitation, seen) {
      const { _id, ...rest } = toStored(invitation);
      return (await model.updateOne({ _id, token_hash: seen }, { $set: rest })).matchedCount === 1;
    },
    remove: async (_id) => (await model.deleteMany({ _id })).deletedCount > 0,
    async list(request) {
      const { position, limit } = readPageRequest(request);
      const found = await model
        .find(position ? following(position) : {})
        .sort({ created_at: 1, _id: 1 })
        .limit(limit + 1)
        .lean<Stored<Invitation>[]>();
      return toPage(found.map(fromStored), limit);
    },
    async removeExpired(before, limit) {
      const found = await model
        .find({ expires_at: { $lt: before } }, { _id: 1 })
        .limit(limit)
        .lean<{ _id: string }[]>();
      await model.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
      return found.length;
    },
  };
}
