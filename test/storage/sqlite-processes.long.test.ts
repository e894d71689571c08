/** What several processes do with one file. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { processContract } from './contract/processes.ts';
import { anAccount, aRecord } from './contract/samples.ts';
import { startChild } from './support/children.ts';
import { temporaryFile } from './support/temporary-file.ts';

describe('an SQLite file', () => {
  let file: string;
  let remove: () => void;
  beforeEach(() => {
    ({ file, remove } = temporaryFile());
  });
  afterEach(() => remove());

  describe('between processes', () =>
    processContract(
      () => `sqlite:${file}`,
      async () => openSqlite(file),
    ));

  test('locked by another process for longer than we wait is unavailable, and works again afterwards', async () => {
    const storage = openSqlite(file);
    const record = aRecord();
    await storage.protocol.upsert(record);
    const locker = await startChild('lock', `sqlite:${file}`);
    locker.go();
    expect(await locker.next()).toBe('locked');

    const started = performance.now();
    await expect(storage.accounts.insert(anAccount())).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - started).toBeLessThan(12_000);
    await expect(storage.protocol.consume(record.key, 1)).rejects.toMatchObject({ code: 'unavailable' });
    // Readers do not wait for writers.
    expect(await storage.protocol.find(record.key)).toMatchObject({ consumed_at: null });

    locker.go();
    expect(await locker.next()).toBe('released');
    await storage.accounts.insert(anAccount());
    expect(await storage.protocol.consume(record.key, 1)).toBe(true);
    await storage.close();
    await locker.ended();
  });
});
