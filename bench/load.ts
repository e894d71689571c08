/** The load loops: as fast as the answers come, or paced. Latencies in milliseconds, CPU in seconds of the server process. */
import { cpuSeconds, hashingSeconds } from './procfs.ts';

/** Sends one unit (a request, or a login) and ends with its answer. */
export type Worker = () => Promise<unknown>;

export interface Measured {
  units: number;
  seconds: number;
  cpu: number;
  /** Of `cpu`, what password hashes took. */
  hashing: number;
  latencies: number[];
  /** Share of one core that this process, the generator, used. */
  generator: number;
}

/** Runs each worker again and again for `seconds`, and lets what is under way finish. */
export async function load(workers: Worker[], { seconds, pid }: { seconds: number; pid: number }): Promise<Measured> {
  const latencies: number[] = [];
  const usage = process.cpuUsage();
  const cpu = cpuSeconds(pid);
  const hashing = hashingSeconds(pid);
  const started = performance.now();
  const end = started + seconds * 1000;
  await Promise.all(
    workers.map(async (work) => {
      for (let sent = performance.now(); sent < end;) {
        await work();
        const now = performance.now();
        latencies.push(now - sent);
        sent = now;
      }
    }),
  );
  const elapsed = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(usage);
  return {
    units: latencies.length,
    seconds: elapsed,
    cpu: cpuSeconds(pid) - cpu,
    hashing: hashingSeconds(pid) - hashing,
    latencies,
    generator: (user + system) / 1e6 / elapsed,
  };
}

/** Sends at a steady rate whether or not answers come, as independent clients do. @returns the latencies. */
export async function pacedLoad(
  workers: Worker[],
  { seconds, perSecond }: { seconds: number; perSecond: number },
): Promise<number[]> {
  const latencies: number[] = [];
  const pending: Promise<unknown>[] = [];
  const started = performance.now();
  for (let i = 0; i < seconds * perSecond; i += 1) {
    const wait = started + (i / perSecond) * 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const sent = performance.now();
    pending.push(workers[i % workers.length]!().then(() => latencies.push(performance.now() - sent)));
  }
  await Promise.all(pending);
  return latencies;
}

export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

export const median = (values: number[]): number => quantile(values, 0.5);
