/** The threads of libuv's pool, where signatures are made, and of V8's, where code is compiled and garbage is collected. */
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/** Still well above those that hash passwords: a third of a core that each wants whole, beside the serving thread. */
const NICER_BY = 4;
const NICEST = 19;
const THREADS = '/proc/self/task';
const OF_A_POOL = /^(libuv-worker|V8Worker)\n$/;

/**
 * Lets the pools yield to the serving thread: woken by it, a thread of libuv's would interrupt the very thread that gave it the work,
 * and V8's, where there are several, would leave it a third of a core while there are passwords to hash. On Linux, where a thread has
 * a priority of its own; elsewhere, and where a sandbox forbids it, nothing changes. @returns how many threads yield.
 */
export async function letPoolsYield(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  await stat('.'); // the first work begins all threads of libuv's pool; V8's are there
  try {
    const yielding = readdirSync(THREADS).filter((id) => OF_A_POOL.test(readFileSync(`${THREADS}/${id}/comm`, 'utf8')));
    for (const id of yielding) setPriority(Number(id), Math.min(NICEST, getPriority() + NICER_BY));
    return yielding.length;
  } catch {
    return 0;
  }
}
