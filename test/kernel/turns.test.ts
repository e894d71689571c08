import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from '../../src/kernel/turns.ts';

it('does what comes together in turns, in its order', async () => {
  const done: number[] = [];
  const take = createTurns();
  for (const number of [1, 2, 3]) take(() => done.push(number));
  const seen = [done.length];
  for (let turn = 0; turn < 4; turn += 1) {
    await nextTurn();
    seen.push(done.length);
  }
  expect(seen).toEqual([0, 1, 2, 3, 3]);
  take(() => done.push(4));
  await nextTurn();
  expect(done).toEqual([1, 2, 3, 4]);
});

it('does more in a turn where more waits', async () => {
  let done = 0;
  const take = createTurns();
  for (let i = 0; i < 80; i += 1) take(() => (done += 1));
  await nextTurn();
  expect(done).toBe(10);
  await nextTurn();
  expect(done).toBe(19);
});

it('keeps the context of each, not of who came first', async () => {
  const context = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const take = createTurns();
  context.run('first', () => take(() => seen.push(context.getStore())));
  take(() => seen.push(context.getStore()));
  context.run('third', () => take(() => seen.push(context.getStore())));
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  expect(seen).toEqual(['first', undefined, 'third']);
});
