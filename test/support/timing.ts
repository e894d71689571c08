/** Telling two kinds of answers apart by their time, as an attacker would, in a way that noise does not break. */

/** For tests that hold a stopwatch: a machine that was busy just then gets more tries, a program that is slow fails them all. */
export const MEASURED = { retry: 3 } as const;

export interface Timed {
  /** In milliseconds, of the two kinds in turn. */
  a: number[];
  b: number[];
}

/** Calls the two in turn, the first one changing, so that what happens on the machine meanwhile meets both alike. */
export async function interleaved(
  rounds: number,
  a: (round: number) => Promise<unknown>,
  b: (round: number) => Promise<unknown>,
): Promise<Timed> {
  const times: Timed = { a: [], b: [] };
  const timed = async (call: (round: number) => Promise<unknown>, round: number) => {
    const started = performance.now();
    await call(round);
    return performance.now() - started;
  };
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) times.a.push(await timed(a, round));
    times.b.push(await timed(b, round));
    if (round % 2 === 1) times.a.push(await timed(a, round));
  }
  return times;
}

/**
 * How often an answer of one kind took longer than one of the other: 0.5 where time tells nothing, 0 or 1 where it tells all (the
 * statistic of Mann and Whitney, as a share). It looks at the order alone, so that single slow answers weigh no more than others.
 */
export function separation({ a, b }: Timed): number {
  let longer = 0;
  for (const x of a) for (const y of b) longer += x > y ? 1 : x === y ? 0.5 : 0;
  return longer / (a.length * b.length);
}

const median = (values: number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)]!;

/** The difference of the medians in milliseconds. */
export const difference = ({ a, b }: Timed): number => Math.abs(median(a) - median(b));

/**
 * Whether time tells the two kinds apart: nearly always, and by more than `least` milliseconds. A hash left out does both; noise
 * does not, even where one kind is a little slower throughout.
 */
export const tellsApart = (times: Timed, least: number): boolean =>
  Math.abs(separation(times) - 0.5) > 0.35 && difference(times) > least;
