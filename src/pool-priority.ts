/** The threads of libuv's pool, where signatures are made. */
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/** Still well above those that hash passwords: a third of a core that each wants whole, beside the serving thread. */
const NICER_BY = 4;
const NICEST = 19;
const THREADS = '/proc/self/task';

/**
 * Lets the pool yield to the serving thread: woken by it, a thread of the pool would interrupt the very thread that gave it the work, and
 * whoever is served waits for a whole signature. On Linux, where a thread has a priority of its own; elsewhere, and where a sandbox
 * forbids it, nothing changes. @returns how many threads yield.
 */
export async function letPoolYield(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  await stat('.'); // the first work begins all threads of the pool
  try {
    const pool = readdirSync(THREADS).filter(
      (id) => readFileSync(`${THREADS}/${id}/comm`, 'utf8') === 'libuv-worker\n',
    );
    for (const id of pool) setPriority(Number(id), Math.min(NICEST, getPriority() + NICER_BY));
    return pool.length;
  } catch {
    return 0;
  }
}
