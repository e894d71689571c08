import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStorage } from '../../src/storage/open.ts';
import { connect } from '../../src/storage/sqlite/connect.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { storageContract } from './contract/contract.ts';
import { aConsent, anAccount } from './contract/samples.ts';
import { temporaryFile } from './support/temporary-file.ts';

storageContract('SQLite in memory', { shared: false }, async () => {
  const storage = openSqlite(':memory:');
  const reopen = () => Promise.reject(new Error('this store lives in one process'));
  return { storage, reopen, dispose: () => storage.close() };
});

storageContract('SQLite in a file', { shared: true }, async () => {
  const { file, remove } = temporaryFile();
  const storage = openSqlite(file);
  storage.serving();
  const dispose = async () => {
    await storage.close();
    remove();
  };
  return { storage, reopen: async () => openSqlite(file), dispose };
});

describe('an SQLite file', () => {
  let file: string;
  let remove: () => void;
  beforeEach(() => {
    ({ file, remove } = temporaryFile());
  });
  afterEach(() => remove());

  test('says where it is', async () => {
    const storage = await openStorage(`sqlite:${file}`);
    expect(storage.description).toBe(`SQLite in ${file}`);
    await storage.close();
    expect(openSqlite(':memory:').description).toBe('SQLite in memory');
  });

  test('withdraws a consent that is being written, in the order in which it was asked', async () => {
    const storage = openSqlite(file);
    const consent = aConsent();
    const written = storage.consents.put(consent, { durable: false });
    expect(await storage.consents.delete(consent.account_id, consent.client_id)).toBe(true);
    await written;
    expect(await storage.consents.find(consent.account_id, consent.client_id)).toBeUndefined();
    await storage.close();
  });

  test('fails a write that gives back what was not committed', () => {
    const connection = connect(file, 'NORMAL');
    connection.exec(
      `CREATE TABLE parents (id INTEGER PRIMARY KEY);
       CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)`,
    );
    const add = connection.prepare('INSERT INTO children (parent) VALUES (?) RETURNING id');
    expect(() => add.get(1)).toThrow(/constraint/);
    connection.exec('INSERT INTO parents (id) VALUES (1)');
    expect(add.get(1)).toEqual({ id: 1 });
    connection.close();
  });

  test('is read by nobody but its owner, side files and folders included', async () => {
    const folder = path.join(path.dirname(file), 'data');
    const storage = openSqlite(path.join(folder, 'gatehouse.db'));
    await storage.accounts.insert(anAccount());
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const modes = readdirSync(folder).map((name) => [name, statSync(path.join(folder, name)).mode & 0o777]);
    expect(Object.fromEntries(modes)).toEqual({
      'gatehouse.db': 0o600,
      'gatehouse.db-shm': 0o600,
      'gatehouse.db-wal': 0o600,
    });
    await storage.close();
  });

  test('that a newer program has migrated is refused and left as it is', async () => {
    await openSqlite(file).close();
    const raw = new DatabaseSync(file);
    raw.exec('PRAGMA user_version = 999');
    expect(() => openSqlite(file)).toThrow(/newer version/);
    expect(raw.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 999 });
    // Fails while anything else, such as the refused program, holds the file.
    expect(raw.prepare('PRAGMA journal_mode = DELETE').get()).toEqual({ journal_mode: 'delete' });
    raw.close();
  });

  test('that cannot be opened is unavailable', () => {
    writeFileSync(
      file,
      'this is not a database, and long enough that nobody could take it for the header of one: '.repeat(20),
    );
    const unavailable = expect.objectContaining({ code: 'unavailable' }) as Error;
    expect(() => openSqlite(file)).toThrow(unavailable);
    expect(() => openSqlite(path.join(file, 'below-a-file.db'))).toThrow(unavailable);
    expect(() => openSqlite(path.dirname(file))).toThrow(unavailable);
  });
});
