import type { Passkey } from '../../factors/passkey.ts';
import type { PasskeyStore } from '../../factors/passkey-store.ts';
import { duplicate } from '../../kernel/errors.ts';
import { isConstraintError } from './connect.ts';
import type { Connection, Row } from './connect.ts';

const COLUMNS =
  'credential_id, account_id, public_key, counter, transports, synced, backed_up, aaguid, name, created_at, last_used_at';

const fromRow = (row: Row): Passkey => ({
  ...(row as unknown as Passkey),
  transports: JSON.parse(row['transports'] as string) as string[],
  synced: row['synced'] === 1,
  backed_up: row['backed_up'] === 1,
});

/** @param everyday for uses, which a power loss may take back. */
export function passkeyStore(everyday: Connection, durable: Connection): PasskeyStore {
  const insert = durable.prepare(`INSERT INTO passkeys (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const find = everyday.prepare(`SELECT ${COLUMNS} FROM passkeys WHERE credential_id = ?`);
  const byAccount = everyday.prepare(
    `SELECT ${COLUMNS} FROM passkeys WHERE account_id = ? ORDER BY created_at, credential_id`,
  );
  const noteUse = everyday.prepare(
    'UPDATE passkeys SET counter = ?1, backed_up = ?2, last_used_at = ?3 WHERE credential_id = ?4 AND (counter < ?1 OR (counter = 0 AND ?1 = 0))',
  );
  const rename = durable.prepare('UPDATE passkeys SET name = ? WHERE credential_id = ? AND account_id = ?');
  const remove = durable.prepare('DELETE FROM passkeys WHERE credential_id = ? AND account_id = ?');
  const removeByAccount = durable.prepare('DELETE FROM passkeys WHERE account_id = ?');
  return {
    async insert(passkey) {
      const { credential_id, account_id, public_key, counter, transports, synced, backed_up, aaguid } = passkey;
      const key = [credential_id, account_id, public_key, counter, JSON.stringify(transports)] as const;
      const about = [Number(synced), Number(backed_up), aaguid, passkey.name] as const;
      try {
        insert.run(...key, ...about, passkey.created_at, passkey.last_used_at);
      } catch (error) {
        if (isConstraintError(error)) throw duplicate('the passkey is registered');
        throw error;
      }
    },
    async find(credentialId) {
      const row = find.get(credentialId);
      return row && fromRow(row);
    },
    listByAccount: async (accountId) => byAccount.all(accountId).map((row) => fromRow(row)),
    noteUse: async (credentialId, { counter, backed_up, last_used_at }) =>
      noteUse.run(counter, Number(backed_up), last_used_at, credentialId) > 0,
    rename: async (credentialId, accountId, name) => rename.run(name, credentialId, accountId) > 0,
    delete: async (credentialId, accountId) => remove.run(credentialId, accountId) > 0,
    deleteByAccount: async (accountId) => void removeByAccount.run(accountId),
  };
}
