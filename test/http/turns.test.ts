import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { oneInATurn } from '../../src/http/turns.ts';

it('begins requests that come together one in a turn, in their order, and none that came before the turn ended', async () => {
  const begun: number[] = [];
  const handle = oneInATurn((req) => begun.push(req as unknown as number));
  const send = (number: number) => handle(number as never, undefined as never);
  for (const number of [1, 2, 3]) send(number);
  const seen = [[...begun]];
  for (let turn = 0; turn < 4; turn += 1) {
    await nextTurn();
    seen.push([...begun]);
  }
  expect(seen).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3]]);
  send(4);
  await nextTurn();
  expect(begun).toEqual([1, 2, 3, 4]);
});
