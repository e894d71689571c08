import type { KeyRingStore, KeySetFetch, KeySetFetchStore, OldSigningKey, StoredRing } from '../../keys/store.ts';
import { fetchId } from '../../keys/fetch-id.ts';
import type { Connection } from './connect.ts';

export function keyRingStore({ everyday, durable }: { everyday: Connection; durable: Connection }): KeyRingStore {
  const version = everyday.prepare('SELECT version FROM key_rings WHERE name = ?');
  const read = everyday.prepare('SELECT version, document FROM key_rings WHERE name = ?');
  const insert = durable.prepare(
    'INSERT INTO key_rings (name, version, document) VALUES (?, 1, ?) ON CONFLICT DO NOTHING',
  );
  const update = durable.prepare(
    'UPDATE key_rings SET version = version + 1, document = ? WHERE name = ? AND version = ?',
  );
  const old = everyday.prepare('SELECT id, alg, sealed, created_at FROM signing_keys ORDER BY created_at, id');
  const deleteOld = durable.prepare('DELETE FROM signing_keys WHERE id = ?');
  return {
    version: async (name) => Number(version.get(name)?.['version'] ?? 0),
    async read(name) {
      const row = read.get(name);
      return row && ({ ...row } as unknown as StoredRing);
    },
    swap: async (name, document, seen) =>
      (seen === 0 ? insert.run(name, document) : update.run(document, name, seen)) === 1,
    listOld: async () => old.all() as unknown as OldSigningKey[],
    async deleteOld(ids) {
      for (const id of ids) deleteOld.run(id);
    },
  };
}

export function keySetFetchStore(everyday: Connection): KeySetFetchStore {
  const add = everyday.prepare(
    `INSERT INTO key_set_fetches (id, address, user_agent, first_at, last_at, fetches) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
       fetches = fetches + excluded.fetches`,
  );
  const list = everyday.prepare(
    `SELECT address, user_agent, first_at, last_at, fetches FROM key_set_fetches WHERE last_at >= ?
     ORDER BY last_at DESC, id LIMIT ?`,
  );
  const purge = everyday.prepare(
    `DELETE FROM key_set_fetches WHERE last_at < ?1 OR id IN
       (SELECT id FROM key_set_fetches ORDER BY last_at DESC, id LIMIT -1 OFFSET ?2)`,
  );
  return {
    add: async (fetches) =>
      everyday.transaction(() => {
        for (const one of fetches)
          add.run(fetchId(one), one.address, one.user_agent, one.first_at, one.last_at, one.fetches);
      }),
    list: async (since, limit) => list.all(since, limit) as unknown as KeySetFetch[],
    purge: async (before, keep) => void purge.run(before, keep),
  };
}
