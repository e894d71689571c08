import type { Identity } from '../../federation/identity.ts';
import type { IdentityStore } from '../../federation/store.ts';
import { duplicate } from '../../kernel/errors.ts';
import { isConstraintError } from './connect.ts';
import type { Connection } from './connect.ts';

const COLUMNS = 'provider, issuer, subject, account_id, email, created_at, last_used_at';
const BY_KEY = 'provider = ? AND issuer = ? AND subject = ?';

export function identityStore(connection: Connection): IdentityStore {
  const insert = connection.prepare(`INSERT INTO upstream_identities (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const find = connection.prepare(`SELECT ${COLUMNS} FROM upstream_identities WHERE ${BY_KEY}`);
  const noteUse = connection.prepare(`UPDATE upstream_identities SET email = ?, last_used_at = ? WHERE ${BY_KEY}`);
  const byAccount = connection.prepare(
    `SELECT ${COLUMNS} FROM upstream_identities WHERE account_id = ? ORDER BY created_at, provider, subject`,
  );
  const remove = connection.prepare(`DELETE FROM upstream_identities WHERE ${BY_KEY} AND account_id = ?`);
  const removeByAccount = connection.prepare('DELETE FROM upstream_identities WHERE account_id = ?');
  return {
    async insert({ provider, issuer, subject, account_id, email, created_at, last_used_at }) {
      try {
        insert.run(provider, issuer, subject, account_id, email, created_at, last_used_at);
      } catch (error) {
        if (isConstraintError(error)) throw duplicate('the upstream identity has an account');
        throw error;
      }
    },
    find: async ({ provider, issuer, subject }) => {
      const row = find.get(provider, issuer, subject);
      return row && ({ ...row } as unknown as Identity);
    },
    noteUse: async ({ provider, issuer, subject }, { email, last_used_at }) =>
      void noteUse.run(email, last_used_at, provider, issuer, subject),
    listByAccount: async (accountId) => byAccount.all(accountId).map((row) => ({ ...row }) as unknown as Identity),
    delete: async ({ provider, issuer, subject }, accountId) => remove.run(provider, issuer, subject, accountId) > 0,
    deleteByAccount: async (accountId) => void removeByAccount.run(accountId),
  };
}
