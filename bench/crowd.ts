/** The token endpoint while people sign in: its p99 alone, and with eight full logins always under way. */
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Target } from './fixture.ts';
import { load, median, pacedLoad, quantile } from './load.ts';
import type { Rounds } from './side-by-side.ts';
import { clientCredentials, withWorkers } from './workloads.ts';

const PACED_PER_SECOND = 100;

export interface Crowd {
  alone_p99_ms: number;
  with_logins_p99_ms: number;
  ratio: number;
}

/** On a thread of their own: who measures must not wait for what they have to do. */
function createPeople(target: Target) {
  const thread = new Worker(new URL('./people.ts', import.meta.url), { workerData: target });
  return {
    /** Has people sign in while `work` runs. */
    async around<T>(work: () => Promise<T>): Promise<T> {
      thread.postMessage('start');
      try {
        return await work();
      } finally {
        const stopped = once(thread, 'message');
        thread.postMessage('stop');
        await stopped;
      }
    },
    end: () => thread.terminate(),
  };
}

const AHEAD = -10;

/**
 * Lets this thread have a core as soon as there is an answer, where whoever runs it may: the server, people and the hashes leave none
 * free, and on two cores a hundredth of the answers lay 3 ms before they were looked at. @returns what undoes it.
 */
function goAhead(): () => void {
  const before = getPriority();
  try {
    setPriority(AHEAD);
    return () => setPriority(before);
  } catch {
    return () => undefined;
  }
}

type People = ReturnType<typeof createPeople>;

/** Alternates alone and crowded. @param p99 measures one slice. */
async function compareCrowd(people: People, rounds: number, p99: () => Promise<number>): Promise<Crowd> {
  const alone: number[] = [];
  const crowded: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await p99());
    crowded.push(await people.around(p99));
  }
  return {
    alone_p99_ms: median(alone),
    with_logins_p99_ms: median(crowded),
    ratio: median(crowded.map((value, round) => value / alone[round]!)),
  };
}

/** @returns the figures at a steady rate that leaves the server time, and at all it can do. */
export const measureCrowd = (
  target: Target,
  { rounds, seconds, warmUp }: Rounds,
): Promise<{ paced: Crowd; flat_out: Crowd }> =>
  withWorkers(clientCredentials, target, async (workers) => {
    const people = createPeople(target);
    const flatOut = (duration: number) => load(workers, { seconds: duration, pid: target.pid });
    await people.around(() => flatOut(warmUp));
    const fallBack = goAhead();
    const paced = await compareCrowd(people, rounds, async () =>
      quantile(await pacedLoad(workers, { seconds, perSecond: PACED_PER_SECOND }), 0.99),
    );
    fallBack();
    const flat_out = await compareCrowd(people, rounds, async () => quantile((await flatOut(seconds)).latencies, 0.99));
    await people.end();
    return { paced, flat_out };
  });
