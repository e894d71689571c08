import { execFile } from 'node:child_process';
import { getPriority } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOM = path.resolve(import.meta.dirname, '../../src/pool-priority.ts');
/** In a process of its own: threads that yield do so for good. */
const SCRIPT = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { letPoolsYield } from ${JSON.stringify(ROOM)};
  const count = await letPoolsYield();
  const niceness = (id) => {
    const stat = readFileSync('/proc/self/task/' + id + '/stat', 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  };
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task') : [];
  const name = (id) => readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim();
  const all = threads.map((id) => [name(id), niceness(id)]);
  console.log(JSON.stringify({ count, serving: threads.length && niceness(process.pid), all }));
`;

it('threads of both pools yield to the serving thread, which is as it was', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT]);
  const { count, serving, all } = JSON.parse(stdout) as { count: number; serving: number; all: [string, number][] };
  if (process.platform !== 'linux') return expect(count).toBe(0);
  expect(serving).toBe(getPriority());
  const yielding = all.filter(([, nice]) => nice === Math.min(19, getPriority() + 4)).map(([name]) => name);
  expect(yielding).toHaveLength(count);
  expect(new Set(yielding)).toEqual(new Set(['libuv-worker', 'V8Worker']));
});
