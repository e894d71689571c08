/** What Linux tells about a process by its id: the server is measured from outside, with nothing added to it. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** USER_HZ, in which /proc counts: 100 on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;
/** User and system time, its own and that of children that have ended. */
const TIMES = [11, 12, 13, 14];

/** The processes that `pid` started and that still run. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);

/** With those it started: passwords are hashed by one. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid)];

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** User and system time of all threads of its family so far, in seconds, those that have ended among them. */
export const cpuSeconds = (pid: number): number => sum(family(pid).map(cpuSecondsOf));

function cpuSecondsOf(pid: number): number {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  // The program's name, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return sum(TIMES.map((index) => Number(fields[index] ?? 0))) / TICKS_PER_SECOND;
}

const NS = 1e9;

/** What the password hashes alone took so far, in seconds: the threads of the process that hashes on which it does nothing else. */
export function hashingSeconds(pid: number): number {
  const hashing = childrenOf(pid).filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('hashing'));
  const threads = hashing.flatMap((child) =>
    readdirSync(`/proc/${child}/task`).map((id) => `/proc/${child}/task/${id}`),
  );
  const pool = threads.filter((thread) => readFileSync(`${thread}/comm`, 'utf8') === 'libuv-worker\n');
  return sum(pool.map((thread) => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]) / NS));
}

const MIB = 1024;

/** Resident memory now and at its highest, in MiB, of its family: what several share counts for each. */
export function memory(pid: number): { rss: number; peak: number } {
  const each = family(pid).map(memoryOf);
  return { rss: sum(each.map(({ rss }) => rss)), peak: sum(each.map(({ peak }) => peak)) };
}

function memoryOf(pid: number): { rss: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { rss: kib('VmRSS') / MIB, peak: kib('VmHWM') / MIB };
}
