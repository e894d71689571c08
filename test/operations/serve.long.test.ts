/** What keeps a server quick is set up where it starts, and nothing but its speed would show that it no longer is. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.js');
/** Tells of the flags that V8 is given. */
const TELLING = `
  import v8 from 'node:v8';
  import { syncBuiltinESMExports } from 'node:module';
  const { setFlagsFromString } = v8;
  v8.setFlagsFromString = (flag) => {
    process.stderr.write(flag + '\\n');
    setFlagsFromString(flag);
  };
  syncBuiltinESMExports();
`;

let folder: string;
let server: ChildProcess;
let told = '';
/** The log is there, too. */
const flags = () => told.split('\n').filter((line) => line.startsWith('--'));

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-serve-'));
  const env = { PATH: process.env['PATH'], NODE_ENV: 'test', GATEHOUSE_PORT: '0', GATEHOUSE_DATA_DIR: folder };
  const imported = `data:text/javascript,${encodeURIComponent(TELLING)}`;
  server = spawn(process.execPath, ['--import', imported, MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  server.stderr!.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await once(server.stdout!, 'data');
});
afterAll(async () => {
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

it('lets its heap grow and keep its room, as the last of what it sets', () =>
  eventually(() =>
    expect(flags().slice(-2)).toEqual(['--heap-growing-percent=100', '--no-memory-reducer-favors-memory']),
  ));

it.runIf(process.platform === 'linux')('lets the threads of its pools yield to the one that serves', () => {
  const threads = `/proc/${server.pid!}/task`;
  const niceness = readdirSync(threads)
    .filter((id) => /^(libuv-worker|V8Worker)\n$/.test(readFileSync(`${threads}/${id}/comm`, 'utf8')))
    .map((id) => getPriority(Number(id)));
  expect(niceness.length).toBeGreaterThan(1);
  expect(niceness.filter((nice) => nice <= getPriority())).toEqual([]);
});
