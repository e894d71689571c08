/**
 * Requests that were refused, kept so that the reference code of an error page leads to what was wrong. Anybody can send requests that
 * are refused, so that what is kept of them has bounds: so many a minute of one network, and so many of all. What goes beyond is in the log.
 */
import type { Logger } from '../kernel/logger.ts';
import type { Audit } from './audit.ts';

export interface Refusal {
  reference: string;
  /** The app it concerns, where that is known. */
  client?: string | undefined;
  /** Part of the address that it came from. */
  network: string | null;
  /** What came in, what was expected and where they differ; nothing in it is secret. */
  detail: Record<string, string>;
}

export interface Refusals {
  /** Comes back at once: nobody waits for it. */
  note(refusal: Refusal): void;
}

interface Needs {
  audit: Pick<Audit, 'refused'>;
  log: Logger;
  /** A minute, of one network and of all. */
  bounds?: { network: number; all: number };
}

const MINUTE_MS = 60_000;
const BOUNDS = { network: 20, all: 120 };
const MOST_NETWORKS = 10_000;

interface Count {
  since: number;
  count: number;
}

export function createRefusals({ audit, log, bounds = BOUNDS }: Needs): Refusals {
  const networks = new Map<string, Count>();
  let all: Count = { since: 0, count: 0 };
  let left_out = 0;

  const counted = (before: Count | undefined, now: number): Count =>
    before && Math.abs(now - before.since) < MINUTE_MS
      ? { ...before, count: before.count + 1 }
      : { since: now, count: 1 };

  function mayBeKept(network: string): boolean {
    const now = Date.now();
    const own = counted(networks.get(network), now);
    if (networks.size >= MOST_NETWORKS && !networks.has(network)) networks.clear();
    networks.set(network, own);
    if (own.count > bounds.network) return false;
    all = counted(all, now);
    return all.count <= bounds.all;
  }

  return {
    note({ reference, client, network, detail }) {
      if (!mayBeKept(network ?? 'unknown')) {
        left_out += 1;
        if (left_out === 1) log.warn({ reference }, 'too many requests are refused to keep a record of each');
        return;
      }
      const more = {
        ...(network === null ? {} : { network }),
        ...(left_out > 0 ? { left_out: String(left_out) } : {}),
      };
      left_out = 0;
      void audit.refused(reference, client, { ...detail, ...more });
    },
  };
}
