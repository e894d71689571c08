import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { promisify } from 'node:util';
import argon2 from 'argon2';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { canHashApart, hashApart, verifyApart } from '../../src/accounts/hashing-process.ts';
import { createPasswordHasher } from '../../src/accounts/password-hasher.ts';
import { eventually } from '../support/eventually.ts';

const run = promisify(execFile);
const cost = fc.record({ memory_kib: fc.integer({ min: 8, max: 300 }), iterations: fc.integer({ min: 1, max: 3 }) });
const password = fc.string({ unit: 'binary', minLength: 1 });
const SMALL = { memory_kib: 64, iterations: 1 };
/** Takes long enough to be interrupted. */
const LARGE = { memory_kib: 47_104, iterations: 20 };
const OF_SMALL = /^\$argon2id\$v=19\$m=64,p=1,t=1\$/;

const read = (pid: number | 'self', file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');

/** The processes that hash for the process `pid`. */
const hashingFor = (pid: number): number[] =>
  read(pid, `task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '' && read(Number(child), 'cmdline').includes('hashing-child'))
    .map(Number);

const hasHugePages = (): boolean => {
  const setting = '/sys/kernel/mm/transparent_hugepage/enabled';
  return existsSync(setting) && !readFileSync(setting, 'utf8').includes('[never]');
};

const isThere = (pid: number): boolean => {
  try {
    return !read(pid, 'status').includes('State:\tZ');
  } catch {
    return false;
  }
};

describe.skipIf(!canHashApart)('hashing in a process of its own', () => {
  it('gives what the argon2 package understands, and understands what that gives', async () => {
    await fc.assert(
      fc.asyncProperty(password, password, cost, async (right, other, { memory_kib, iterations }) => {
        const ours = await hashApart(right, { memory_kib, iterations });
        const theirs = await argon2.hash(right, { memoryCost: memory_kib, timeCost: iterations, parallelism: 1 });
        expect(await argon2.verify(ours, right)).toBe(true);
        expect(await verifyApart(right, theirs)).toBe(true);
        expect(argon2.needsRehash(ours, { memoryCost: memory_kib, timeCost: iterations, parallelism: 1 })).toBe(false);
        if (other !== right) {
          expect(await verifyApart(other, ours)).toBe(false);
          expect(await verifyApart(other, theirs)).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('leaves hashes of other kinds to others', async () => {
    expect(await verifyApart('a password', await argon2.hash('a password', { parallelism: 2 }))).toBeUndefined();
    expect(await verifyApart('a password', '$2b$10$abcdefghijklmnopqrstuv')).toBeUndefined();
  });

  it('answers each of many that are asked at once', async () => {
    const passwords = Array.from({ length: 40 }, (_, i) => `password ${i}`);
    const hashes = await Promise.all(passwords.map((one) => hashApart(one, SMALL)));
    for (const [i, hash] of hashes.entries()) expect(await argon2.verify(hash, passwords[i]!)).toBe(true);
  });

  it('refuses what cannot be hashed, and goes on with the next', async () => {
    await expect(hashApart('a password', { memory_kib: 1, iterations: 1 })).rejects.toThrow();
    expect(await hashApart('a password', SMALL)).toMatch(OF_SMALL);
  });
});

describe.skipIf(!canHashApart || process.platform !== 'linux')('the process that hashes', () => {
  afterEach(() => vi.useRealTimers());

  it('hashes on threads that are nicer than this process', async () => {
    await hashApart('a password', SMALL);
    const [pid] = hashingFor(process.pid);
    const threads = readdirSync(`/proc/${pid}/task`).filter((id) => read(pid!, `task/${id}/comm`) === 'libuv-worker\n');
    const niceness = threads.map((id) => Number(/\) (.*)/.exec(read(pid!, `task/${id}/stat`))![1]!.split(' ')[16]));
    expect(niceness.length).toBeGreaterThan(0);
    expect(new Set(niceness)).toEqual(new Set([Math.min(19, getPriority() + 12)]));
  });

  it('is told nothing of our environment, and nothing on its command line', async () => {
    await hashApart('a password', SMALL);
    const [pid] = hashingFor(process.pid);
    const names = read(pid!, 'environ')
      .split('\0')
      .map((entry) => entry.split('=')[0]);
    expect(names.filter((name) => name !== '' && !name!.startsWith('NODE_CHANNEL')).toSorted()).toEqual([
      'GLIBC_TUNABLES',
      'UV_THREADPOOL_SIZE',
    ]);
    expect(read(pid!, 'cmdline')).not.toContain('a password');
  });

  it.skipIf(!hasHugePages())('takes what a hash needs in huge pages', async () => {
    const faults = (pid: number) => Number(/\) (.*)/.exec(read(pid, 'stat'))![1]!.split(' ')[7]);
    await hashApart('a password', { memory_kib: 47_104, iterations: 1 });
    const [pid] = hashingFor(process.pid);
    const before = faults(pid!);
    await hashApart('a password', { memory_kib: 47_104, iterations: 1 });
    expect(faults(pid!) - before).toBeLessThan(47_104 / 4 / 2);
  });

  it('owes answers still when somebody presses Ctrl-C', async () => {
    await hashApart('a password', SMALL);
    const [pid] = hashingFor(process.pid);
    const hash = hashApart('a password', LARGE);
    process.kill(pid!, 'SIGINT');
    process.kill(pid!, 'SIGTERM');
    expect(await argon2.verify(await hash, 'a password')).toBe(true);
    expect(hashingFor(process.pid)).toEqual([pid]);
  });

  it('ends after a minute without work, and begins anew', async () => {
    await hashApart('a password', SMALL);
    const [pid] = hashingFor(process.pid);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await hashApart('a password', SMALL);
    vi.advanceTimersByTime(59_999);
    await hashApart('a password', SMALL);
    vi.advanceTimersByTime(59_999);
    expect(isThere(pid!)).toBe(true);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await eventually(() => expect(isThere(pid!)).toBe(false));
    expect(await hashApart('a password', SMALL)).toMatch(OF_SMALL);
  });

  it('that cannot begin is done without', async () => {
    const file = new URL('../../src/accounts/password-hasher.ts', import.meta.url).href;
    const program = `import { createPasswordHasher } from '${file}';
      process.execPath = '/nowhere/node';
      const hasher = createPasswordHasher({ memory_kib: 64, iterations: 1, parallelism: 1, queue: 10 });
      const hash = await hasher.hash('a password');
      console.log(await hasher.verify('a password', hash), await hasher.verify('another', hash));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout).toBe('true false\n');
  });

  it('keeps no process alive that has its answer, and ends with it', async () => {
    const file = new URL('../../src/accounts/hashing-process.ts', import.meta.url).href;
    const program = `import { hashApart } from '${file}';
      import { readFileSync } from 'node:fs';
      await hashApart('a password', { memory_kib: 64, iterations: 1 });
      console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    const pid = Number(stdout.trim());
    expect(pid).toBeGreaterThan(0);
    await eventually(() => expect(isThere(pid)).toBe(false));
  });

  it('that was killed is done without for a minute: who waited is served by the pool', async () => {
    const hasher = createPasswordHasher({ ...LARGE, parallelism: 1, queue: 10 });
    await hashApart('a password', SMALL);
    const [pid] = hashingFor(process.pid);
    const refused = expect(hashApart('a password', LARGE)).rejects.toThrow('the process that hashes has ended');
    const served = hasher.hash('a password');
    process.kill(pid!, 'SIGKILL');
    await refused;
    expect(await argon2.verify(await served, 'a password')).toBe(true);
    await expect(hashApart('a password', SMALL)).rejects.toThrow('broke just now');
    expect(hashingFor(process.pid)).toEqual([]);
    const now = performance.now();
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.advanceTimersByTime(now + 60_000);
    expect(await hashApart('a password', SMALL)).toMatch(OF_SMALL);
  });

  it('that is killed under a command leaves it to the pool', async () => {
    const file = new URL('../../src/accounts/password-hasher.ts', import.meta.url).href;
    const program = `import { createPasswordHasher } from '${file}';
      import { readFileSync } from 'node:fs';
      const hasher = createPasswordHasher({ memory_kib: 47104, iterations: 20, parallelism: 1, queue: 10 });
      const hash = hasher.hash('a password');
      setTimeout(() => process.kill(Number(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8')), 'SIGKILL'), 300);
      console.log(await hasher.verify('a password', await hash));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout).toBe('true\n');
  });
});

describe('a hash of several lanes', () => {
  it('is made and checked as one of one lane', async () => {
    const hasher = createPasswordHasher({ memory_kib: 64, iterations: 1, parallelism: 2, queue: 10 });
    const hash = await hasher.hash('a password');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=64,p=2,t=1\$/);
    expect(await hasher.verify('a password', hash)).toBe(true);
    expect(await hasher.verify('another', hash)).toBe(false);
  });
});
