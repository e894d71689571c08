import { mkdtempSync, rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/storage/sqlite/connect.ts';
import type { Connection } from '../../src/storage/sqlite/connect.ts';
import { groupCommit } from '../../src/storage/sqlite/group-commit.ts';
import type { GroupCommit } from '../../src/storage/sqlite/group-commit.ts';

let folder: string;
let here: Connection;
let elsewhere: Connection;
let group: GroupCommit;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'group-'));
  here = connect(join(folder, 'a.db'), 'NORMAL');
  here.exec('CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT');
  elsewhere = connect(join(folder, 'a.db'), 'NORMAL');
  elsewhere.exec('PRAGMA busy_timeout = 0');
  group = groupCommit(here, () => undefined);
});
afterEach(() => {
  here.close();
  elsewhere.close();
  rmSync(folder, { recursive: true });
});

const put = (id: number) => here.prepare('INSERT INTO things VALUES (?)').run(id);
const ids = () =>
  here
    .prepare('SELECT id FROM things ORDER BY id')
    .all()
    .map(({ id }) => id);

describe('what counts as a whole', () => {
  it('has no writer of another process within it, also where it is alone', async () => {
    await group.writeWhole(() => {
      expect(() => elsewhere.prepare('INSERT INTO things VALUES (9)').run()).toThrow('The store does not answer');
      put(1);
    });
    expect(ids()).toEqual([1]);
  });

  it.each([1, 2])('leaves nothing where its last statement breaks a rule, among %i', async (count) => {
    const whole = group.writeWhole(() => {
      put(1);
      put(1);
    });
    const other = count === 2 ? group.write(() => put(2)) : undefined;
    await expect(whole).rejects.toThrow('UNIQUE');
    await other;
    expect(ids()).toEqual(count === 2 ? [2] : []);
  });
});

describe('while writes pause', () => {
  it('they wait and nobody is blocked; then all are committed, and answered in turns', async () => {
    const resume = group.pause();
    const answered: number[] = [];
    for (const id of [1, 2, 3]) void group.write(() => put(id)).then(() => answered.push(id));
    elsewhere.exec('BEGIN IMMEDIATE');
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    elsewhere.exec('ROLLBACK');
    expect(ids()).toEqual([]);

    resume();
    expect(ids()).toEqual([1, 2, 3]);
    const seen: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await Promise.resolve();
      seen.push(answered.length);
      await nextTurn();
    }
    expect(seen).toEqual([0, 1, 2, 3]);

    await group.write(() => put(4));
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  it('what must be committed now is, and what cannot be committed is told to all', async () => {
    const resume = group.pause();
    const first = group.write(() => put(1));
    group.flush();
    await first;
    expect(ids()).toEqual([1]);

    const failing = [2, 3].map((id) => group.write(() => put(id)));
    here.exec('PRAGMA busy_timeout = 0');
    elsewhere.exec('BEGIN IMMEDIATE');
    resume();
    const outcomes = await Promise.allSettled(failing);
    elsewhere.exec('ROLLBACK');
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(ids()).toEqual([1]);
  });
});
