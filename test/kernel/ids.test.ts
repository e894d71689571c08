import { expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';

it('an id can be given to a command as it is: none begins as an option does', () => {
  const ids = Array.from({ length: 3000 }, () => newId());
  expect(ids.filter((id) => !/^\w[\w-]{21}$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(3000);
});
