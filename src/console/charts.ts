/** Small charts: a bar for each of the last days. Where and how high is worked out here, so that no style is written into the page. */
const DAY_MS = 86_400_000;

export interface Bar {
  /** Day, ISO 8601. */
  day: string;
  count: number;
  x: number;
  y: number;
  height: number;
}

export interface Chart {
  bars: Bar[];
  total: number;
  /** There were more than were counted: the total is at least this. */
  more: boolean;
  width: number;
  height: number;
}

const WIDTH = 20;
const GAP = 6;
const HEIGHT = 40;
/** A day without anything shows as a line. */
const LEAST = 1;

/** @param times ISO 8601, newest first. @param more there are older ones that are not among them. */
export function chartOf(times: string[], { days, now, more }: { days: number; now: number; more: boolean }): Chart {
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const shown = Array.from({ length: days }, (_, index) => dayOf(now - (days - 1 - index) * DAY_MS));
  const counts = new Map(shown.map((day) => [day, 0]));
  for (const time of times) {
    const day = time.slice(0, 10);
    const count = counts.get(day);
    if (count !== undefined) counts.set(day, count + 1);
  }
  const highest = Math.max(1, ...counts.values());
  const bars = shown.map((day, index): Bar => {
    const count = counts.get(day)!;
    const height = Math.max(LEAST, Math.round((count / highest) * HEIGHT));
    return { day, count, x: index * (WIDTH + GAP), y: HEIGHT - height, height };
  });
  return {
    bars,
    total: bars.reduce((sum, { count }) => sum + count, 0),
    more: more && (times.at(-1) ?? '').slice(0, 10) >= shown[0]!,
    width: days * (WIDTH + GAP) - GAP,
    height: HEIGHT,
  };
}
