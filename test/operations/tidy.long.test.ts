import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOM = path.resolve(import.meta.dirname, '../../src/tidy.ts');
/** Of 40 MB that live, seven are replaced in a second, when they are old. In a process of its own: flags are for good. */
const script = (grow: boolean) => `
  import { setTimeout as wait } from 'node:timers/promises';
  import { letHeapGrow, tidyAfterStart } from ${JSON.stringify(ROOM)};
  const held = [];
  const add = (from, to) => { for (let i = from; i < to; i += 1) held[i % 300_000] = { at: i, of: [i, i, i] }; };
  add(0, 300_000);
  tidyAfterStart();
  if (${grow}) letHeapGrow();
  for (let turn = 0; turn < 400; turn += 1) {
    add(turn * 900, (turn + 1) * 900);
    await wait(10);
  }
`;

async function collections(grow: boolean): Promise<number> {
  const args = ['--trace-gc', '--max-semi-space-size=1', '--input-type=module', '-e', script(grow)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout.split('Mark-Compact').length - 1;
}

it('collects old objects less often when the heap may grow', async () => {
  const [before, after] = await Promise.all([collections(false), collections(true)]);
  expect(after).toBeLessThan(before);
});
