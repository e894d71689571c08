import type { ClientDocument, ClientDocumentStore } from '../../clients/documents.ts';
import type { Connection } from './connect.ts';

const ALL = 'client_id, fetched_at, fresh_until, used_at, denied_at, denied_reason';

export function clientDocumentStore({
  everyday,
  durable,
}: {
  everyday: Connection;
  durable: Connection;
}): ClientDocumentStore {
  const find = everyday.prepare(`SELECT ${ALL} FROM client_documents WHERE client_id = ?`);
  const noteRead = durable.prepare(
    `INSERT INTO client_documents (client_id, fetched_at, fresh_until, used_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until`,
  );
  const noteUse = everyday.prepare('UPDATE client_documents SET used_at = ? WHERE client_id = ? AND used_at < ?');
  const deny = durable.prepare(
    `INSERT INTO client_documents (client_id, used_at, denied_at, denied_reason) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET denied_at = coalesce(denied_at, excluded.denied_at), denied_reason = excluded.denied_reason`,
  );
  const allow = durable.prepare(
    'UPDATE client_documents SET denied_at = NULL, denied_reason = NULL WHERE client_id = ? AND denied_at IS NOT NULL',
  );
  const count = everyday.prepare('SELECT count(*) AS n FROM client_documents WHERE denied_at IS NULL');
  const list = everyday.prepare(`SELECT ${ALL} FROM client_documents WHERE client_id > ? ORDER BY client_id LIMIT ?`);
  const unused = everyday.prepare(
    `SELECT ${ALL} FROM client_documents WHERE used_at < ? AND denied_at IS NULL ORDER BY used_at LIMIT ?`,
  );
  const remove = durable.prepare('DELETE FROM client_documents WHERE client_id = ?');
  return {
    find: async (clientId) => find.get(clientId) as ClientDocument | undefined,
    noteRead: async (clientId, { fetched_at, fresh_until }) =>
      void noteRead.run(clientId, fetched_at, fresh_until, fetched_at),
    noteUse: async (clientId, at) => void noteUse.run(at, clientId, at),
    deny: async (clientId, { at, reason }) => void deny.run(clientId, at, at, reason),
    allow: async (clientId) => allow.run(clientId) > 0,
    count: async () => Number(count.get()?.['n']),
    list: async (after, limit) => list.all(after, limit) as unknown as ClientDocument[],
    listUnused: async (before, limit) => unused.all(before, limit) as unknown as ClientDocument[],
    remove: async (clientId) => remove.run(clientId) > 0,
  };
}
