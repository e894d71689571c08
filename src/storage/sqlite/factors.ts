import type { AccountFactors, FactorStore } from '../../factors/store.ts';
import type { Connection } from './connect.ts';

const INSERT = 'INSERT INTO account_factors (account_id, version, document) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
const UPDATE = 'UPDATE account_factors SET version = ?, document = ? WHERE account_id = ? AND version = ?';

export function factorStore({ everyday, durable }: { everyday: Connection; durable: Connection }): FactorStore {
  const find = everyday.prepare('SELECT document FROM account_factors WHERE account_id = ?');
  const writes = (connection: Connection) => ({
    insert: connection.prepare(INSERT),
    update: connection.prepare(UPDATE),
  });
  const [onDurable, onEveryday] = [writes(durable), writes(everyday)];
  const inOrder = everyday.prepare(
    'SELECT document FROM account_factors WHERE account_id > ? ORDER BY account_id LIMIT ?',
  );
  const remove = durable.prepare('DELETE FROM account_factors WHERE account_id = ?');
  return {
    async find(accountId) {
      const row = find.get(accountId);
      return row && (JSON.parse(row['document'] as string) as AccountFactors);
    },
    async put(factors, options) {
      const { insert, update } = options?.durable === false ? onEveryday : onDurable;
      const { account_id, version } = factors;
      const document = JSON.stringify({ ...factors, version: version + 1 });
      const changed =
        version === 0 ? insert.run(account_id, 1, document) : update.run(version + 1, document, account_id, version);
      return changed === 1;
    },
    listInOrder: async (after, limit) =>
      inOrder.all(after, limit).map((row) => JSON.parse(row['document'] as string) as AccountFactors),
    delete: async (accountId) => remove.run(accountId) > 0,
  };
}
