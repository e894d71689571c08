/** What accounts and clients have in common: a JSON document with an id, one unique value, a version and an order. */
import { conflict, duplicate, notFound } from '../../kernel/errors.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Page, PageRequest } from '../../kernel/paging.ts';
import { searchPage } from '../../kernel/search.ts';
import type { Search } from '../../kernel/search.ts';
import { isConstraintError } from './connect.ts';
import type { Connection, Row } from './connect.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Reader } from './reader.ts';
import type { Recent } from './recent.ts';
import { searchWords } from './search-words.ts';

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
  /** What it is found by. */
  wordsOf: (document: T) => string[];
  /** Holds those that were found a moment ago; nothing holds them unless given. */
  recent?: Recent<T>;
}

interface Connections {
  everyday: Connection;
  durable: Connection;
  reader: Reader;
  /** The group commit of `everyday`. */
  group: GroupCommit;
}

const parse = <T>(row: Row | undefined): T | undefined =>
  row ? (JSON.parse(row['document'] as string) as T) : undefined;

/** So that nobody changes what others are given too. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/**
 * @param everyday reads, and writes what need not survive power loss. A connection forgets all it has read of the file when
 *   another one writes, and nearly all writes are this one's.
 * @param durable makes all other writes. @param reader lists and searches.
 */
export function documentTable<T extends Document>(
  { everyday, durable, reader, group }: Connections,
  { table, uniqueColumn, uniqueValue, taken, wordsOf, recent }: Shape<T>,
) {
  const insert = durable.prepare(
    `INSERT INTO ${table} (id, ${uniqueColumn}, version, created_at, document) VALUES (?, ?, ?, ?, ?)`,
  );
  const byIdSql = `SELECT document FROM ${table} WHERE id = ?`;
  const byId = everyday.prepare(byIdSql);
  const byIdForSearch = reader.prepare(byIdSql);
  const byUnique = everyday.prepare(`SELECT document FROM ${table} WHERE ${uniqueColumn} = ?`);
  const updateSql = `UPDATE ${table} SET ${uniqueColumn} = ?, version = ?, document = ? WHERE id = ? AND version = ?`;
  const update = durable.prepare(updateSql);
  const updateEveryday = everyday.prepare(updateSql);
  const remove = durable.prepare(`DELETE FROM ${table} WHERE id = ? AND (? IS NULL OR version = ?)`);
  const first = reader.prepare(`SELECT document FROM ${table} ORDER BY created_at, id LIMIT ?`);
  const following = reader.prepare(
    `SELECT document FROM ${table} WHERE (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
  );

  const words = searchWords(table, reader);
  words.build(durable, table, (document) => wordsOf(JSON.parse(document) as T));
  const [wordsDurably, wordsEveryday] = [words.on(durable), words.on(everyday)];

  /** Runs `write`, and with it, if it took, what changes of the words. */
  const together = (connection: Connection, write: () => number, change: (() => void) | undefined): number => {
    if (!change) return write();
    return connection.transaction(() => {
      const changed = write();
      if (changed > 0) change();
      return changed;
    });
  };

  const unique = async <R>(work: () => R | Promise<R>): Promise<R> => {
    try {
      return await work();
    } catch (error) {
      if (isConstraintError(error)) throw duplicate(taken.message, taken.field);
      throw error;
    }
  };

  const add = (document: T) =>
    insert.run(document.id, uniqueValue(document), document.version, document.created_at, JSON.stringify(document));

  function isAdded(document: T): boolean {
    try {
      if (add(document) === 0) return false;
      wordsDurably.change(document.id, [], wordsOf(document))?.();
      return true;
    } catch (error) {
      // Undoes only this statement; the transaction goes on.
      if (isConstraintError(error)) return false;
      throw error;
    }
  }

  const read = async (id: string) => parse<T>((await byIdForSearch(id))[0]);

  function find(id: string): T | undefined {
    const held = recent?.get(id);
    if (held) return held;
    const found = parse<T>(byId.get(id));
    if (found) recent?.set(id, frozen(found));
    return found;
  }

  async function list(request: PageRequest): Promise<Page<T>> {
    const { position, limit } = readPageRequest(request);
    const rows = await (position ? following(...position, limit + 1) : first(limit + 1));
    return toPage(
      rows.map((row) => parse<T>(row)!),
      limit,
    );
  }

  return {
    async insert(document: T): Promise<void> {
      const write = () => add(document);
      await unique(() => together(durable, write, wordsDurably.change(document.id, [], wordsOf(document))));
    },
    insertMany: async (documents: T[]) => durable.transaction(() => documents.map(isAdded)),
    find: async (id: string) => find(id),
    findByUnique: async (value: string) => parse<T>(byUnique.get(value)),
    async update(document: T, options?: { durable: boolean }): Promise<T> {
      const next = { ...document, version: document.version + 1 };
      const late = options?.durable === false;
      const before = find(next.id);
      // Of another version nothing is written, so that its words do not matter.
      const change = (late ? wordsEveryday : wordsDurably).change(
        next.id,
        before ? wordsOf(before) : [],
        wordsOf(next),
      );
      const statement = late ? updateEveryday : update;
      const text = JSON.stringify(next);
      const values = [uniqueValue(next), next.version, text, next.id, document.version];
      const write = () => {
        recent?.take(next.id);
        return statement.run(...values);
      };
      const writeAndHold = () => {
        const written = write();
        if (written === 1) recent?.set(next.id, frozen(JSON.parse(text) as T));
        return written;
      };
      const changed = await unique(() =>
        late && !change
          ? group.write(writeAndHold, () => recent?.clear())
          : together(late ? everyday : durable, write, change),
      );
      if (changed === 1) return next;
      throw byId.get(document.id) ? conflict('the record was changed meanwhile') : notFound('the record is gone');
    },
    async delete(id: string, version: number | null = null): Promise<boolean> {
      const before = parse<T>(byId.get(id));
      const change = before && wordsDurably.change(id, wordsOf(before), []);
      recent?.take(id);
      return together(durable, () => remove.run(id, version, version), change) > 0;
    },
    search: (search: Search): Promise<Page<T>> => searchPage({ scan: words.scan, find: read, list, wordsOf }, search),
    list,
  };
}
