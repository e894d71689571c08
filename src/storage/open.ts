import type { Storage } from './storage.ts';

/**
 * Opens the store a URL names, creating or migrating what is missing. The driver is loaded only here and only when named.
 * @param url `sqlite:<file>`, `sqlite::memory:` or `mongodb://…`.
 * @throws unavailable when the database does not answer.
 */
export async function openStorage(url: string): Promise<Storage> {
  if (url.startsWith('sqlite:')) {
    const { openSqlite } = await import('./sqlite/open.ts');
    return openSqlite(url.slice('sqlite:'.length));
  }
  const { openMongo } = await import('./mongo/open.ts');
  return openMongo(url);
}
