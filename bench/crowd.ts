/** The token endpoint while people sign in: its p99 alone, and with eight full logins always under way. */
import { connect } from './connection.ts';
import type { Target } from './fixture.ts';
import { load, median, pacedLoad, quantile } from './load.ts';
import { login } from './login.ts';
import type { Rounds } from './side-by-side.ts';
import { clientCredentials, withWorkers } from './workloads.ts';

const PEOPLE = 8;
const PACED_PER_SECOND = 100;

export interface Crowd {
  alone_p99_ms: number;
  with_logins_p99_ms: number;
  ratio: number;
}

/** Keeps `PEOPLE` logins under way while `work` runs. */
async function whileSigningIn<T>(target: Target, work: () => Promise<T>): Promise<T> {
  let over = false;
  const people = target.fixture.people.slice(0, PEOPLE).map(async (person) => {
    const connection = connect(target.origin);
    while (!over) await login(connection, target, person);
    await connection.close();
  });
  try {
    return await work();
  } finally {
    over = true;
    await Promise.all(people);
  }
}

/** Alternates alone and crowded. @param p99 measures one slice. */
async function compareCrowd(target: Target, rounds: number, p99: () => Promise<number>): Promise<Crowd> {
  const alone: number[] = [];
  const crowded: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await p99());
    crowded.push(await whileSigningIn(target, p99));
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
    await whileSigningIn(target, () => load(workers, { seconds: warmUp, pid: target.pid }));
    return {
      paced: await compareCrowd(target, rounds, async () =>
        quantile(await pacedLoad(workers, { seconds, perSecond: PACED_PER_SECOND }), 0.99),
      ),
      flat_out: await compareCrowd(target, rounds, async () =>
        quantile((await load(workers, { seconds, pid: target.pid })).latencies, 0.99),
      ),
    };
  });
