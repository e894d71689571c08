/** What accounts and clients have in common: a JSON document with an id, one unique value, a version and an order. */
import { conflict, duplicate, notFound } from '../../kernel/errors.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Page, PageRequest } from '../../kernel/paging.ts';
import { isConstraintError } from './connect.ts';
import type { Connection, Row } from './connect.ts';

interface Document {
  id: string;
  version: number;
  created_at: string;
}

interface Shape<T> {
  table: string;
  /** Column with a unique index, filled from `uniqueValue`. */
  uniqueColumn: string;
  uniqueValue: (document: T) => string | null;
  /** What a duplicate is told, and the public name of its field. */
  taken: { message: string; field: string };
}

const parse = <T>(row: Row | undefined): T | undefined =>
  row ? (JSON.parse(row['document'] as string) as T) : undefined;

/**
 * @param everyday reads, and writes what need not survive power loss. A connection forgets all it has read of the file when
 *   another one writes, and nearly all writes are this one's.
 * @param durable makes all other writes.
 */
export function documentTable<T extends Document>(
  { everyday, durable }: { everyday: Connection; durable: Connection },
  { table, uniqueColumn, uniqueValue, taken }: Shape<T>,
) {
  const insert = durable.prepare(
    `INSERT INTO ${table} (id, ${uniqueColumn}, version, created_at, document) VALUES (?, ?, ?, ?, ?)`,
  );
  const byId = everyday.prepare(`SELECT document FROM ${table} WHERE id = ?`);
  const byUnique = everyday.prepare(`SELECT document FROM ${table} WHERE ${uniqueColumn} = ?`);
  const updateSql = `UPDATE ${table} SET ${uniqueColumn} = ?, version = ?, document = ? WHERE id = ? AND version = ?`;
  const update = durable.prepare(updateSql);
  const updateEveryday = everyday.prepare(updateSql);
  const remove = durable.prepare(`DELETE FROM ${table} WHERE id = ?`);
  const first = everyday.prepare(`SELECT document FROM ${table} ORDER BY created_at, id LIMIT ?`);
  const following = everyday.prepare(
    `SELECT document FROM ${table} WHERE (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
  );

  const unique = <R>(work: () => R): R => {
    try {
      return work();
    } catch (error) {
      if (isConstraintError(error)) throw duplicate(taken.message, taken.field);
      throw error;
    }
  };

  const add = (document: T) =>
    insert.run(document.id, uniqueValue(document), document.version, document.created_at, JSON.stringify(document));

  function isAdded(document: T): boolean {
    try {
      return add(document) > 0;
    } catch (error) {
      // Undoes only this statement; the transaction goes on.
      if (isConstraintError(error)) return false;
      throw error;
    }
  }

  return {
    async insert(document: T): Promise<void> {
      unique(() => add(document));
    },
    insertMany: async (documents: T[]) => durable.transaction(() => documents.map(isAdded)),
    find: async (id: string) => parse<T>(byId.get(id)),
    findByUnique: async (value: string) => parse<T>(byUnique.get(value)),
    async update(document: T, options?: { durable: boolean }): Promise<T> {
      const next = { ...document, version: document.version + 1 };
      const changed = unique(() =>
        (options?.durable === false ? updateEveryday : update).run(
          uniqueValue(next),
          next.version,
          JSON.stringify(next),
          next.id,
          document.version,
        ),
      );
      if (changed === 1) return next;
      throw byId.get(document.id) ? conflict('the record was changed meanwhile') : notFound('the record is gone');
    },
    delete: async (id: string) => remove.run(id) > 0,
    async list(request: PageRequest): Promise<Page<T>> {
      const { position, limit } = readPageRequest(request);
      const rows = position ? following.all(...position, limit + 1) : first.all(limit + 1);
      return toPage(
        rows.map((row) => parse<T>(row)!),
        limit,
      );
    },
  };
}
