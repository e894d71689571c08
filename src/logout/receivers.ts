/** Which apps can be told now: one that does not answer is left alone for a while, and never takes all the lines. */
import { backOff } from '../kernel/back-off.ts';
import { epochSeconds } from '../kernel/clock.ts';

/** How many deliveries to one app are under way at once. */
const AT_ONCE = 4;
const SILENT = { first: 2, longest: 60 };
const MOST_REMEMBERED = 10_000;

export interface Receivers {
  /** Clients that are not to be told now. */
  resting(): string[];
  begin(clientId: string): void;
  end(clientId: string, answered: boolean): void;
}

export function createReceivers(): Receivers {
  const underWay = new Map<string, number>();
  /** How often in a row each did not answer, and until when it is left alone. */
  const silent = new Map<string, { failures: number; until: number }>();

  return {
    resting() {
      const now = epochSeconds();
      const busy = [...underWay].filter(([id, count]) => count >= (silent.has(id) ? 1 : AT_ONCE)).map(([id]) => id);
      const left = [...silent].filter(([, { until }]) => until > now).map(([id]) => id);
      return [...new Set([...busy, ...left])];
    },
    begin: (id) => void underWay.set(id, (underWay.get(id) ?? 0) + 1),
    end(id, answered) {
      const left = (underWay.get(id) ?? 1) - 1;
      if (left > 0) underWay.set(id, left);
      else underWay.delete(id);
      if (answered) return void silent.delete(id);
      if (silent.size >= MOST_REMEMBERED) silent.clear();
      const failures = (silent.get(id)?.failures ?? 0) + 1;
      silent.set(id, { failures, until: epochSeconds() + backOff(failures, SILENT) });
    },
  };
}
