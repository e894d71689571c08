import { createConnection } from 'mongoose';
import { newId } from '../../../src/kernel/ids.ts';

/** Where the tests' MongoDB is, if there is one. */
export const MONGODB_TEST_URI = process.env['MONGODB_TEST_URI'];

const TEST_DATABASE = /^gatehouse_test_\w+$/;

export interface TestDatabase {
  url: string;
  /** The same database by another way, `host:port`. */
  urlBy: (host: string) => string;
  /** Removes the documents, not the indexes. */
  empty: () => Promise<void>;
  drop: () => Promise<void>;
}

/** A new database on the tests' server, its name beginning with `gatehouse_test_`. */
export function testDatabase(): TestDatabase {
  const name = `gatehouse_test_${newId().replaceAll('-', '_')}`;
  const url = new URL(MONGODB_TEST_URI ?? 'mongodb://localhost/');
  url.pathname = `/${name}`;
  const urlBy = (host: string) => {
    const other = new URL(url);
    other.host = host;
    // Else a replica set would lead the driver past the proxy.
    other.searchParams.set('directConnection', 'true');
    return other.href;
  };

  const connecting = MONGODB_TEST_URI ? createConnection(url.href, { dbName: name }).asPromise() : undefined;
  const database = async () => {
    const { db } = (await connecting)!;
    if (!db || !TEST_DATABASE.test(db.databaseName)) throw new Error('not a database of the tests');
    return db;
  };
  return {
    url: url.href,
    urlBy,
    async empty() {
      const collections = await (await database()).collections();
      await Promise.all(collections.map((collection) => collection.deleteMany({})));
    },
    async drop() {
      await (await database()).dropDatabase();
      await (await connecting)!.close();
    },
  };
}
