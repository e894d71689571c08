/** What Linux tells about a process by its id: the server is measured from outside, with nothing added to it. */
import { readFileSync } from 'node:fs';

/** USER_HZ, in which /proc counts: 100 on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;
const UTIME = 11;
const STIME = 12;

/** The processes that `pid` started and that still run. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);

export const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

/** With those it started: passwords are hashed by one. */
const family = (pid: number): number[] => [pid, ...childrenOf(pid)];

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** User and system time of all threads of its family so far, in seconds. */
export const cpuSeconds = (pid: number): number => sum(family(pid).map(cpuSecondsOf));

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_SECOND;
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
