import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/storage/sqlite/connect.ts';
import type { Connection } from '../../src/storage/sqlite/connect.ts';
import { createReader } from '../../src/storage/sqlite/reader.ts';
import type { Reader } from '../../src/storage/sqlite/reader.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFile } from './support/temporary-file.ts';

let connection: Connection;
let reader: Reader;
let file: string;
let remove: () => void;
beforeEach(() => {
  ({ file, remove } = temporaryFile());
  connection = connect(file, 'NORMAL');
  connection.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY)');
  reader = createReader(file, connection);
  reader.leaveToThread();
});
afterEach(async () => {
  await reader.close();
  connection.close();
  remove();
});

const threads = () => (process.report.getReport() as unknown as { workers: unknown[] }).workers.length;

const COUNT_LONG =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000000) SELECT count(*) AS n FROM c';

test('what was committed is read, of many at once each its own', async () => {
  const from = reader.prepare('SELECT n FROM numbers WHERE n >= ? ORDER BY n LIMIT ?');
  expect(await from(0, 10)).toEqual([]);
  const insert = connection.prepare('INSERT INTO numbers (n) VALUES (?)');
  for (let n = 0; n < 100; n += 1) insert.run(n);
  const found = await Promise.all(Array.from({ length: 100 }, (_, n) => from(n, 1)));
  expect(found).toEqual(Array.from({ length: 100 }, (_, n) => [{ n }]));
});

test('until it is left to the thread, the given connection reads', async () => {
  const early = createReader('/nowhere/there-is-no-such-file.db', connection);
  const count = early.prepare('SELECT count(*) AS n FROM numbers');
  expect(await count()).toEqual([{ n: 0 }]);
  early.leaveToThread();
  await expect(count()).rejects.toMatchObject({ code: 'unavailable' });
  await early.close();
});

test('others have their turn meanwhile', async () => {
  let turns = 0;
  const turn = setInterval(() => (turns += 1), 1);
  await reader.prepare(COUNT_LONG)();
  clearInterval(turn);
  expect(turns).toBeGreaterThan(10);
});

test('nothing can be written by it', async () => {
  await expect(reader.prepare('DELETE FROM numbers RETURNING n')()).rejects.toMatchObject({ code: 'unavailable' });
});

test('a read that fails is unavailable, and the next one is answered', async () => {
  await expect(reader.prepare('SELECT n FROM letters')()).rejects.toMatchObject({ code: 'unavailable' });
  expect(await reader.prepare('SELECT count(*) AS n FROM numbers')()).toEqual([{ n: 0 }]);
});

test('whoever reads when it is closed has an answer; closed twice is closed', async () => {
  const answers = Promise.allSettled([reader.prepare(COUNT_LONG)(), reader.prepare('SELECT 1 AS one')()]);
  await reader.close();
  await reader.close();
  expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});

test('whoever reads after that, or meanwhile, begins no other thread', async () => {
  const one = reader.prepare('SELECT 1 AS one');
  const before = threads();
  await one();
  const closing = reader.close();
  await expect(one()).rejects.toMatchObject({ code: 'unavailable' });
  await closing;
  await expect(one()).rejects.toMatchObject({ code: 'unavailable' });
  expect(threads()).toBe(before);
});

test('a thread that rests ends, and the next read begins another', async () => {
  const resting = createReader(file, connection, { restAfterMs: 20 });
  resting.leaveToThread();
  const count = resting.prepare('SELECT count(*) AS n FROM numbers');
  const before = threads();
  for (let i = 0; i < 3; i += 1) {
    expect(await count()).toEqual([{ n: 0 }]);
    expect(threads()).toBe(before + 1);
    await eventually(() => expect(threads()).toBe(before));
  }
  await resting.close();
});

test('a file that is not there is unavailable, and read once it is', async () => {
  const { file: missing, remove: removeLate } = temporaryFile();
  const early = createReader(missing, connection);
  early.leaveToThread();
  const one = early.prepare('SELECT 1 AS one');
  await expect(one()).rejects.toMatchObject({ code: 'unavailable' });
  const late = connect(missing, 'NORMAL');
  expect(await one()).toEqual([{ one: 1 }]);
  await early.close();
  late.close();
  removeLate();
});
