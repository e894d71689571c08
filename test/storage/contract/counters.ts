import { describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { atOnce } from './at-once.ts';
import { moveClock } from './clock.ts';
import type { Driver, Use } from './contract.ts';

const MINUTE = 60_000;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const inOrder = (counts: number[]) => counts.toSorted((a, b) => a - b);

export function counterContract(use: Use, { shared }: Driver): void {
  const sharedTest = shared ? test : () => undefined;
  const counters = () => use().storage.counters;
  const add = (key: string, points = 1) => counters().increment(key, points, MINUTE);

  describe('increment', () => {
    test('begins a window, counts in it, and does not prolong it', async () => {
      moveClock(0);
      const ends = Date.now() + MINUTE;
      expect(await add('a')).toEqual({ count: 1, expires_at: ends });
      moveClock(30);
      expect(await add('a', 5)).toEqual({ count: 6, expires_at: ends });
      expect(await counters().get('a')).toEqual({ count: 6, expires_at: ends });
    });

    test('keeps keys apart', async () => {
      await add('a');
      expect(await add('b')).toMatchObject({ count: 1 });
      expect(await counters().get('c')).toBeUndefined();
    });

    test('of 100 callers at once each sees another count, to 100', async () => {
      const { values, errors } = await atOnce(100, () => add('a'));
      expect(errors).toEqual([]);
      expect(inOrder(values.map(({ count }) => count))).toEqual(upTo(100));
      expect(new Set(values.map(({ expires_at }) => expires_at)).size).toBe(1);
    });

    sharedTest('of callers by two connections too', async () => {
      const other = await use().reopen();
      const stores = [counters(), other.counters];
      // Ten times, for the race to add the counter is won within a millisecond.
      for (let round = 0; round < 10; round += 1) {
        const { values, errors } = await atOnce(40, (index) => stores[index % 2]!.increment(`${round}`, 1, MINUTE));
        expect(errors).toEqual([]);
        expect(inOrder(values.map(({ count }) => count))).toEqual(upTo(40));
      }
      await other.close();
    });

    test('after the window begins a new one, of 50 callers at once a single one', async () => {
      moveClock(0);
      await add('a', 7);
      moveClock(60);
      expect(await counters().get('a')).toBeUndefined();
      const { values, errors } = await atOnce(50, () => add('a'));
      expect(errors).toEqual([]);
      expect(inOrder(values.map(({ count }) => count))).toEqual(upTo(50));
      expect(await counters().get('a')).toEqual({ count: 50, expires_at: Date.now() + MINUTE });
    });
  });

  describe('giving back', () => {
    test('takes points from the window they were added in', async () => {
      const { expires_at } = await add('a', 3);
      await counters().giveBack('a', 1, expires_at);
      expect(await counters().get('a')).toEqual({ count: 2, expires_at });
      await counters().giveBack('a', 5, expires_at);
      expect(await add('a')).toEqual({ count: 1, expires_at });
    });

    test('takes nothing from a later window, nor from a counter that is gone', async () => {
      moveClock(0);
      const { expires_at } = await add('a');
      moveClock(60);
      await counters().giveBack('a', 1, expires_at);
      expect(await counters().get('a')).toBeUndefined();
      await add('a', 2);
      await counters().giveBack('a', 1, expires_at);
      expect(await counters().get('a')).toMatchObject({ count: 2 });
      await counters().giveBack('never', 1, expires_at + MINUTE);
      expect(await counters().get('never')).toBeUndefined();
    });

    test('by 40 callers at once takes 40', async () => {
      const { expires_at } = await add('a', 50);
      const { errors } = await atOnce(40, () => counters().giveBack('a', 1, expires_at));
      expect(errors).toEqual([]);
      expect(await counters().get('a')).toMatchObject({ count: 10 });
    });
  });

  describe('block', () => {
    test('replaces count and window, also of an expired counter and of none', async () => {
      moveClock(0);
      await add('a');
      const blocked = { count: 1000, expires_at: Date.now() + 5 * MINUTE };
      expect(await counters().block('a', 1000, 5 * MINUTE)).toEqual(blocked);
      expect(await counters().block('b', 1000, 5 * MINUTE)).toEqual(blocked);
      expect(await counters().get('a')).toEqual(blocked);
      expect(await add('b')).toEqual({ ...blocked, count: 1001 });
      moveClock(300);
      expect(await counters().get('a')).toBeUndefined();
      await counters().block('a', 7, MINUTE);
      expect(await counters().get('a')).toEqual({ count: 7, expires_at: Date.now() + MINUTE });
    });

    test('lets nothing be given back of what was counted before', async () => {
      const { expires_at } = await add('a');
      await counters().block('a', 1000, 5 * MINUTE);
      await counters().giveBack('a', 1, expires_at);
      expect(await counters().get('a')).toMatchObject({ count: 1000 });
    });
  });

  test('deleting forgets a counter and says whether there was one', async () => {
    moveClock(0);
    await add('a');
    expect(await counters().delete('a')).toBe(true);
    expect(await counters().delete('a')).toBe(false);
    expect(await add('a')).toMatchObject({ count: 1 });
    moveClock(60);
    expect(await counters().delete('a')).toBe(false);
  });

  test('deleting by owner forgets all of theirs and nobody else’s, and says how many ran', async () => {
    moveClock(0);
    await counters().increment('expired', 1, 1000, 'ada');
    moveClock(1);
    await counters().increment('a', 1, MINUTE, 'ada');
    await counters().increment('a', 1, MINUTE, 'ada');
    await counters().block('b', 9, MINUTE, 'ada');
    await counters().increment('c', 1, MINUTE, 'bob');
    await counters().increment('d', 1, MINUTE);
    expect(await counters().deleteByOwner('ada')).toBe(2);
    expect(await counters().deleteByOwner('ada')).toBe(0);
    expect(await counters().get('a')).toBeUndefined();
    expect(await counters().get('b')).toBeUndefined();
    expect(await counters().get('c')).toBeDefined();
    expect(await counters().get('d')).toBeDefined();
  });

  sharedTest('counts are there when the store is opened again', async () => {
    await add('a', 3);
    const other = await use().reopen();
    expect(await other.counters.get('a')).toMatchObject({ count: 3 });
    await other.close();
  });

  test('sweeping removes no more than asked and nothing whose window runs', async () => {
    for (let index = 0; index < 7; index += 1) await counters().increment(newId(), 1, 1000);
    await counters().increment('kept', 1, 10 * MINUTE);
    const swept: number[] = [];
    for (let round = 0; round < 3; round += 1) swept.push(await counters().sweep(epochSeconds() + 61, 5));
    // A store that expires by itself leaves it to itself.
    expect([
      [5, 2, 0],
      [0, 0, 0],
    ]).toContainEqual(swept);
    expect(await counters().get('kept')).toMatchObject({ count: 1 });
  });
}
