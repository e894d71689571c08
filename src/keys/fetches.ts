/**
 * Who fetched the key set: by which address and user agent, when last, how often. It helps an admin to judge whether a new key has
 * reached everybody; a request for keys names no client, so nothing is decided by it. Kept short, bounded, and roughly right.
 */
import { epochSeconds } from '../kernel/clock.ts';
import { fetchId } from './fetch-id.ts';
import type { KeySetFetch, KeySetFetchStore } from './store.ts';

const WRITTEN_AFTER_MS = 2000;
/** Of one process between two writes; more go unrecorded. */
const MOST_HELD = 200;
const MOST_KEPT = 500;
const USER_AGENT_MAX = 120;

export interface KeySetFetches {
  note(who: { address: string; user_agent: string }): void;
  /** Those since a date, the newest first. */
  since(date: Date): Promise<KeySetFetch[]>;
  /** Writes down what was noted. Never rejects. */
  flush(): Promise<void>;
}

interface Needs {
  store: KeySetFetchStore;
  /** Seconds that a fetch is remembered; 0: not at all. */
  retention: number;
  onError(error: unknown): void;
}

export function createKeySetFetches({ store, retention, onError }: Needs): KeySetFetches {
  const held = new Map<string, KeySetFetch>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (held.size === 0) return;
    const fetches = [...held.values()];
    held.clear();
    try {
      await store.add(fetches);
      await store.purge(epochSeconds() - retention, MOST_KEPT);
    } catch (error) {
      onError(error);
    }
  }

  return {
    note({ address, user_agent }) {
      if (retention === 0) return;
      const who = { address, user_agent: user_agent.slice(0, USER_AGENT_MAX) };
      const id = fetchId(who);
      const now = epochSeconds();
      const known = held.get(id);
      if (known) {
        known.last_at = now;
        known.fetches += 1;
        return;
      }
      if (held.size >= MOST_HELD) return;
      held.set(id, { ...who, first_at: now, last_at: now, fetches: 1 });
      timer ??= setTimeout(() => void flush(), WRITTEN_AFTER_MS).unref();
    },
    since: (date) => store.list(Math.max(Math.floor(date.getTime() / 1000), epochSeconds() - retention), MOST_KEPT),
    flush,
  };
}
