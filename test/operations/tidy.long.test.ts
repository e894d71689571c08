import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOM = path.resolve(import.meta.dirname, '../../src/tidy.ts');
/** Of 30 MB that live, each part is replaced again and again when it is old. In a process of its own: flags are for good. */
const SCRIPT = `
  import { setTimeout as wait } from 'node:timers/promises';
  import { letHeapGrow } from ${JSON.stringify(ROOM)};
  letHeapGrow();
  const held = [];
  const add = (from, to) => { for (let i = from; i < to; i += 1) held[i % 200_000] = { at: i, of: [i, i, i] }; };
  add(0, 200_000);
  for (let turn = 0; turn < 300; turn += 1) {
    add(turn * 5_000, (turn + 1) * 5_000);
    await wait(10);
  }
`;
const COLLECTION = /Mark-Compact (?:\(\w+\) )?([\d.]+) \([\d.]+\) -> ([\d.]+) /g;

it('collects old objects when they have become twice as many', async () => {
  const args = ['--trace-gc', '--max-semi-space-size=1', '--input-type=module', '-e', SCRIPT];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const sizes = [...stdout.matchAll(COLLECTION)].map(([, before, after]) => ({
    before: Number(before),
    after: Number(after),
  }));
  const growth = sizes.slice(1).map(({ before }, index) => before / sizes[index]!.after);
  expect(growth.length).toBeGreaterThan(1);
  for (const factor of growth) {
    expect(factor).toBeGreaterThan(1.6);
    expect(factor).toBeLessThan(2.5);
  }
});
