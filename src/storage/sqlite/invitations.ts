import type { Invitation, InvitationStore } from '../../accounts/invitation.ts';
import { duplicate } from '../../kernel/errors.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import { isConstraintError } from './connect.ts';
import type { Connection, Row } from './connect.ts';

const COLUMNS = 'id, email_normalized, token_hash, created_at, expires_at, document';

const parse = (row: Row | undefined): Invitation | undefined =>
  row && (JSON.parse(row['document'] as string) as Invitation);

export function invitationStore({ everyday, durable }: { everyday: Connection; durable: Connection }): InvitationStore {
  const insert = durable.prepare(`INSERT INTO invitations (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  const by = (column: string) => everyday.prepare(`SELECT document FROM invitations WHERE ${column} = ?`);
  const [byId, byToken, byEmail] = [by('id'), by('token_hash'), by('email_normalized')];
  const replace = durable.prepare(
    'UPDATE invitations SET token_hash = ?, expires_at = ?, document = ? WHERE id = ? AND token_hash = ?',
  );
  const remove = durable.prepare('DELETE FROM invitations WHERE id = ?');
  const page = everyday.prepare(
    'SELECT document FROM invitations WHERE (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?',
  );
  const removeExpired = durable.prepare(
    'DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < ? LIMIT ?)',
  );

  return {
    async insert(one) {
      const { id, email_normalized, token_hash, created_at, expires_at } = one;
      try {
        insert.run(id, email_normalized, token_hash, created_at, expires_at, JSON.stringify(one));
      } catch (error) {
        if (isConstraintError(error)) throw duplicate('the address is invited already', 'email');
        throw error;
      }
    },
    find: async (id) => parse(byId.get(id)),
    findByToken: async (hash) => parse(byToken.get(hash)),
    findByEmail: async (email) => parse(byEmail.get(email)),
    replace: async (one, seen) => replace.run(one.token_hash, one.expires_at, JSON.stringify(one), one.id, seen) === 1,
    remove: async (id) => remove.run(id) > 0,
    async list(request) {
      const { position, limit } = readPageRequest(request);
      const rows = page.all(...(position ?? ['', '']), limit + 1);
      return toPage(
        rows.map((row) => parse(row)!),
        limit,
      );
    },
    removeExpired: async (before, limit) => removeExpired.run(before, limit),
  };
}
