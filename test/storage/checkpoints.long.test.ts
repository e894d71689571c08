import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createCheckpoints } from '../../src/storage/sqlite/checkpoints.ts';
import { connect } from '../../src/storage/sqlite/connect.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { aRecord } from './contract/samples.ts';
import { temporaryFile } from './support/temporary-file.ts';
import { eventually } from '../support/eventually.ts';

const MIB = 1024 * 1024;
const size = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

test('the write-ahead log is copied back while a store is used, and is gone when it is closed', async () => {
  const { file, remove } = temporaryFile();
  const storage = openSqlite(file);
  const write = () => Promise.all(Array.from({ length: 100 }, () => storage.protocol.upsert(aRecord())));
  try {
    const before = size(file);
    await eventually(async () => {
      await write();
      expect(size(file)).toBeGreaterThan(before);
    });
    for (let i = 0; i < 50; i += 1) await write();
    expect(size(`${file}-wal`)).toBeLessThan(48 * MIB);
  } finally {
    await storage.close();
  }
  expect(size(`${file}-wal`)).toBe(0);
  const again = openSqlite(file);
  expect((await again.protocol.listInOrder('', 10_000)).length).toBeGreaterThan(5000);
  await again.close();
  remove();
});

test('while there are always more writes, the log begins anew all the same', async () => {
  const { file, remove } = temporaryFile();
  const storage = openSqlite(file);
  let longest = 0;
  for (let i = 0; i < 600; i += 1) {
    await Promise.all(Array.from({ length: 16 }, () => storage.protocol.upsert(aRecord())));
    await setTimeout(2);
    longest = Math.max(longest, size(`${file}-wal`));
  }
  await storage.close();
  remove();
  expect(longest).toBeGreaterThan(4 * MIB);
  expect(longest).toBeLessThan(40 * MIB);
});

test('writes pause while the rest is copied, and go on', async () => {
  const { file, remove } = temporaryFile();
  const connection = connect(file, 'NORMAL');
  connection.exec('CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT');
  const events: string[] = [];
  const checkpoints = createCheckpoints(file, () => {
    events.push('paused');
    return () => events.push('resumed');
  });
  checkpoints.wrote(1399);
  checkpoints.wrote(1);
  checkpoints.wrote(1400);
  await eventually(() => expect(events).toEqual(['paused', 'resumed']));
  const copied = size(`${file}-wal`);
  connection.exec('INSERT INTO things VALUES (1)');
  expect(size(`${file}-wal`)).toBe(copied);
  checkpoints.wrote(1);
  await eventually(() => expect(events).toEqual(['paused', 'resumed', 'paused', 'resumed']));
  await checkpoints.close();
  connection.close();
  remove();
});
