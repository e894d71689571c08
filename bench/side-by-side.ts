/**
 * The comparison: short alternating rounds, since the machine drifts; of each figure the median, of ratios those per round. Two
 * processes of one program differ by a twentieth and more, so that there may be several pairs of servers.
 */
import type { Target } from './fixture.ts';
import { load, median, quantile } from './load.ts';
import type { Measured, Worker } from './load.ts';
import { passwordLogin, withWorkers } from './workloads.ts';
import type { Workload } from './workloads.ts';

export interface Figures {
  per_second: number;
  per_cpu_second: number;
  cpu_ms: number;
  /** Of `cpu_ms`, what password hashes took, and the rest. */
  hash_cpu_ms: number;
  beyond_hash_ms: number;
  p50_ms: number;
  p99_ms: number;
}

export interface Compared {
  name: string;
  gatehouse: Figures;
  bare: Figures;
  /** Gatehouse's figure divided by bare's. */
  ratio: { per_second: number; per_cpu_second: number };
  /** This process was busier than the servers it measured: what they could do was not seen. */
  generator_limited: boolean;
}

export interface Rounds {
  rounds: number;
  /** Of one slice, in seconds; one of logins is longer. */
  seconds: number;
  /** Before the first slice, in seconds, until both servers' code is compiled. A busy machine is given longer. */
  warmUp: number;
}

const GENERATOR_BUSY = 0.9;
/**
 * `compiled`: after how many hardly any code is compiled any more; a login is eight requests, of as many kinds, and takes 20 ms beyond its hash after
 * the first hundred, 15 after 1,500. `longest`: how many times as long as said warming up may take. `slice`: how many times as long one is.
 */
const OF_REQUESTS = { compiled: 30_000, longest: 3, slice: 1 };
/** In slices of one there are fourteen. */
const OF_LOGINS = { compiled: 2000, longest: 10, slice: 4 };

const perSecond = ({ units, seconds }: Measured) => units / seconds;
const perCpuSecond = ({ units, cpu }: Measured) => units / cpu;

function figures(slices: Measured[]): Figures {
  const latencies = slices.flatMap((slice) => slice.latencies);
  return {
    per_second: median(slices.map(perSecond)),
    per_cpu_second: median(slices.map(perCpuSecond)),
    cpu_ms: 1000 * median(slices.map(({ units, cpu }) => cpu / units)),
    hash_cpu_ms: 1000 * median(slices.map(({ units, hashing }) => hashing / units)),
    beyond_hash_ms: 1000 * median(slices.map(({ units, cpu, hashing }) => (cpu - hashing) / units)),
    p50_ms: quantile(latencies, 0.5),
    p99_ms: quantile(latencies, 0.99),
  };
}

/** What the rounds gave, in their order. */
export type Slices = Record<Target['name'], Measured[]>;

export async function measure(
  workload: Workload,
  targets: { gatehouse: Target; bare: Target },
  { rounds, seconds, warmUp }: Rounds,
): Promise<Slices> {
  const slices: Slices = { gatehouse: [], bare: [] };
  await withWorkers(workload, targets.gatehouse, (ours) =>
    withWorkers(workload, targets.bare, async (theirs) => {
      const workers: Record<Target['name'], Worker[]> = { gatehouse: ours, bare: theirs };
      const slice = (name: Target['name'], length: number) =>
        load(workers[name], { seconds: length, pid: targets[name].pid });
      const times = workload === passwordLogin ? OF_LOGINS : OF_REQUESTS;
      for (const name of ['gatehouse', 'bare'] as const) {
        let done = 0;
        for (let i = 0; i < times.longest && done < times.compiled; i += 1) done += (await slice(name, warmUp)).units;
      }
      for (let round = 0; round < rounds; round += 1) {
        const order = round % 2 === 0 ? (['gatehouse', 'bare'] as const) : (['bare', 'gatehouse'] as const);
        for (const name of order) slices[name].push(await slice(name, seconds * times.slice));
      }
    }),
  );
  return slices;
}

/** @param pairs what was measured on each pair of servers. */
export function compare(name: string, pairs: Slices[]): Compared {
  const gatehouse = pairs.flatMap((slices) => slices.gatehouse);
  const bare = pairs.flatMap((slices) => slices.bare);
  const ratio = (of: (slice: Measured) => number) =>
    median(gatehouse.map((slice, round) => of(slice) / of(bare[round]!)));
  return {
    name,
    gatehouse: figures(gatehouse),
    bare: figures(bare),
    ratio: { per_second: ratio(perSecond), per_cpu_second: ratio(perCpuSecond) },
    generator_limited: [...gatehouse, ...bare].some(
      ({ generator, cpu, seconds: length }) => generator > GENERATOR_BUSY && generator > cpu / length,
    ),
  };
}
