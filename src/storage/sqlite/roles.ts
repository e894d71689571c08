import { conflict, duplicate, notFound } from '../../kernel/errors.ts';
import type { RoleKind, RoleKinds, RoleRecords, RoleStore } from '../../roles/store.ts';
import { isConstraintError } from './connect.ts';
import type { Connection } from './connect.ts';

const parse = <T>(document: unknown): T => JSON.parse(document as string) as T;

function unique<R>(name: string, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (isConstraintError(error)) throw duplicate(`${name} is taken`, 'name');
    throw error;
  }
}

export function roleStore({ everyday, durable }: { everyday: Connection; durable: Connection }): RoleStore {
  const insert = durable.prepare('INSERT INTO role_records (kind, id, name, version, document) VALUES (?, ?, ?, ?, ?)');
  const update = durable.prepare(
    'UPDATE role_records SET name = ?, version = ?, document = ? WHERE kind = ? AND id = ? AND version = ?',
  );
  const exists = everyday.prepare('SELECT 1 FROM role_records WHERE kind = ? AND id = ?');
  const remove = durable.prepare('DELETE FROM role_records WHERE kind = ? AND id = ?');
  const all = everyday.prepare('SELECT kind, document FROM role_records ORDER BY kind, name');
  // A trigger counts, in the transaction of each change.
  const version = everyday.prepare('SELECT count FROM role_changes');
  return {
    async insert(kind, { id, name, version: first, ...rest }) {
      const document = JSON.stringify({ id, name, version: first, ...rest });
      unique(name, () => insert.run(kind, id, name, first, document));
    },
    async update<K extends RoleKind>(kind: K, record: RoleKinds[K]) {
      const { id, name, version: seen } = record;
      const next = { ...record, version: seen + 1 };
      const document = JSON.stringify(next);
      const changed = unique(name, () => update.run(name, next.version, document, kind, id, seen));
      if (changed === 1) return next;
      throw exists.get(kind, id) ? conflict('the record was changed meanwhile') : notFound('the record is gone');
    },
    delete: async (kind, id) => remove.run(kind, id) > 0,
    async all() {
      const records: RoleRecords = { role: [], group: [], claims: [] };
      for (const { kind, document } of all.all()) records[kind as RoleKind].push(parse(document));
      return records;
    },
    version: async () => String(version.get()?.['count']),
  };
}
