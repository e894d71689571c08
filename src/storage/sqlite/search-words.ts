import type { Position } from '../../kernel/paging.ts';
import type { Entry, Range } from '../../kernel/search.ts';
import type { Connection } from './connect.ts';
import type { Reader } from './reader.ts';

const BATCH = 500;
/** Says that what was there before the index is in it. */
const BUILT = 'built';

/** The words of one kind of record, written on the connection, and in the transaction, that writes the record. */
export function searchWords(kind: string, reader: Reader) {
  const scan = reader.prepare(
    'SELECT word, id FROM search_words WHERE kind = ? AND word >= ? AND word < ? ORDER BY word, id LIMIT ?',
  );
  const scanOn = reader.prepare(
    `SELECT word, id FROM search_words WHERE kind = ?1 AND word >= ?2 AND word < ?3 AND (word, id) > (?2, ?4)
     ORDER BY word, id LIMIT ?5`,
  );
  return {
    scan: async ({ from, to }: Range, after: Position | undefined, limit: number) =>
      (await (after ? scanOn(kind, after[0], to, after[1], limit) : scan(kind, from, to, limit))) as unknown as Entry[],

    on(connection: Connection) {
      const add = connection.prepare('INSERT OR IGNORE INTO search_words (kind, word, id) VALUES (?, ?, ?)');
      const remove = connection.prepare('DELETE FROM search_words WHERE kind = ? AND word = ? AND id = ?');
      return {
        /** @returns what has to be written so that the words are `after` where they were `before`; undefined where nothing has. */
        change(id: string, before: string[], after: string[]): (() => void) | undefined {
          const gone = before.filter((word) => !after.includes(word));
          const fresh = after.filter((word) => !before.includes(word));
          if (gone.length === 0 && fresh.length === 0) return undefined;
          return () => {
            for (const word of gone) remove.run(kind, word, id);
            for (const word of fresh) add.run(kind, word, id);
          };
        },
      };
    },

    /** Once, where the store is older than the index. */
    build(connection: Connection, table: string, wordsOf: (document: string) => string[]): void {
      const built = connection.prepare('SELECT 1 FROM search_words WHERE kind = ? AND word = ?');
      const page = connection.prepare(`SELECT id, document FROM ${table} WHERE id > ? ORDER BY id LIMIT ${BATCH}`);
      const add = connection.prepare('INSERT OR IGNORE INTO search_words (kind, word, id) VALUES (?, ?, ?)');
      if (built.get(BUILT, kind)) return;
      for (let last = ''; ;) {
        const rows = page.all(last);
        connection.transaction(() => {
          for (const { id, document } of rows)
            for (const word of wordsOf(document as string)) add.run(kind, word, id as string);
          if (rows.length < BATCH) add.run(BUILT, kind, '');
        });
        if (rows.length < BATCH) return;
        last = rows.at(-1)!['id'] as string;
      }
    },
  };
}
