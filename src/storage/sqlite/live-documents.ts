import type { LiveDocumentStore } from '../../kernel/live-documents.ts';
import type { Connection } from './connect.ts';

export function liveDocumentStore({
  everyday,
  durable,
}: {
  everyday: Connection;
  durable: Connection;
}): LiveDocumentStore {
  const versions = everyday.prepare('SELECT name, version FROM live_documents');
  const read = everyday.prepare('SELECT version, document FROM live_documents WHERE name = ?');
  const insert = durable.prepare(
    'INSERT INTO live_documents (name, version, document) VALUES (?, 1, ?) ON CONFLICT DO NOTHING',
  );
  const update = durable.prepare(
    'UPDATE live_documents SET version = version + 1, document = ? WHERE name = ? AND version = ?',
  );
  return {
    versions: async () =>
      Object.fromEntries(versions.all().map(({ name, version }) => [name as string, Number(version)])),
    async read(name) {
      const row = read.get(name);
      return row && { version: Number(row['version']), document: row['document'] as string };
    },
    swap: async (name, document, seen) =>
      (seen === 0 ? insert.run(name, document) : update.run(document, name, seen)) === 1,
  };
}
