/** What the argon2 hash of a login costs by itself, as the server makes it: in a process that hashes, at the configuration's cost. */
import { hashApart, verifyApart } from '../src/accounts/hashing-process.ts';
import { childrenOf, commandLine, cpuSeconds } from './procfs.ts';

const COST = { memory_kib: 47_104, iterations: 1 };
const PASSWORD = 'tr0ubadour and staple';

/** @returns a function that gives the CPU of one verification in milliseconds, the mean of `count`. */
export async function createHashCost(): Promise<(count: number) => Promise<number>> {
  const hash = await hashApart(PASSWORD, COST);
  return async (count) => {
    await verifyApart(PASSWORD, hash); // begins the process, if it rests
    const hashing = childrenOf(process.pid).find((pid) => commandLine(pid).includes('hashing-child'))!;
    const before = cpuSeconds(hashing);
    for (let i = 0; i < count; i += 1) await verifyApart(PASSWORD, hash);
    return (1000 * (cpuSeconds(hashing) - before)) / count;
  };
}
