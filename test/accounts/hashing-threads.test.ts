import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import argon2 from 'argon2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canYield, hashYielding, verifyYielding } from '../../src/accounts/hashing-threads.ts';
import { createPasswordHasher } from '../../src/accounts/password-hasher.ts';

const cost = fc.record({ memory_kib: fc.integer({ min: 8, max: 300 }), iterations: fc.integer({ min: 1, max: 3 }) });
const password = fc.string({ unit: 'binary', minLength: 1 });

/** How nice each thread of this process is. */
const niceness = () =>
  readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });

// Where threads have no priority of their own there are none of these.
describe.skipIf(!canYield)('hashing on threads that yield', () => {
  it('gives what the argon2 package understands, and understands what that gives', async () => {
    await fc.assert(
      fc.asyncProperty(password, password, cost, async (right, other, { memory_kib, iterations }) => {
        const ours = await hashYielding(right, { memory_kib, iterations });
        const theirs = await argon2.hash(right, { memoryCost: memory_kib, timeCost: iterations, parallelism: 1 });
        expect(await argon2.verify(ours, right)).toBe(true);
        expect(await verifyYielding(right, theirs)).toBe(true);
        expect(argon2.needsRehash(ours, { memoryCost: memory_kib, timeCost: iterations, parallelism: 1 })).toBe(false);
        if (other !== right) {
          expect(await verifyYielding(other, ours)).toBe(false);
          expect(await verifyYielding(other, theirs)).toBe(false);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is nicer than all else in the process', async () => {
    await hashYielding('a password', { memory_kib: 64, iterations: 1 });
    const own = getPriority();
    expect(Math.max(...niceness())).toBe(Math.min(19, own + 12));
    expect(niceness().filter((nice) => nice === own).length).toBeGreaterThan(1);
  });

  it('leaves hashes of other kinds to others', async () => {
    expect(await verifyYielding('a password', await argon2.hash('a password', { parallelism: 2 }))).toBeUndefined();
    expect(await verifyYielding('a password', '$2b$10$abcdefghijklmnopqrstuv')).toBeUndefined();
  });

  it('refuses what no thread can hash, and goes on with the next', async () => {
    await expect(hashYielding('a password', { memory_kib: 1, iterations: 1 })).rejects.toThrow();
    expect(await hashYielding('a password', { memory_kib: 64, iterations: 1 })).toMatch(
      /^\$argon2id\$v=19\$m=64,p=1,t=1\$/,
    );
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
