import { execFile } from 'node:child_process';
import { getPriority } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOM = path.resolve(import.meta.dirname, '../../src/pool-priority.ts');
/** In a process of its own: threads that yield do so for good. */
const SCRIPT = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { letPoolYield } from ${JSON.stringify(ROOM)};
  const count = await letPoolYield();
  const niceness = (id) => {
    const stat = readFileSync('/proc/self/task/' + id + '/stat', 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  };
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task') : [];
  console.log(JSON.stringify({ count, serving: threads.length && niceness(process.pid), all: threads.map(niceness) }));
`;

it('threads of the pool yield to the serving thread, which is as it was', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT]);
  const { count, serving, all } = JSON.parse(stdout) as { count: number; serving: number; all: number[] };
  if (process.platform !== 'linux') return expect(count).toBe(0);
  expect(count).toBeGreaterThan(0);
  expect(serving).toBe(getPriority());
  expect(all.filter((nice) => nice === Math.min(19, getPriority() + 4))).toHaveLength(count);
});
