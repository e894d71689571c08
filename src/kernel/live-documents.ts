/**
 * Documents that every process follows without a restart. Each is one text with a version, changed as a whole by compare-and-set;
 * a process asks twice a second whether there is a newer one.
 */
import { conflict } from './errors.ts';
import type { Logger } from './logger.ts';

export interface LiveDocumentStore {
  /** The version of each that there is, by name. Asked for twice a second by every process. */
  versions(): Promise<Record<string, number>>;
  read(name: string): Promise<{ version: number; document: string } | undefined>;
  /**
   * Puts `document` in the place of the one with version `seen`, or where that is 0 in the place of none, counting the version up.
   * Survives power loss. @returns whether it did; of callers at once that saw the same version exactly one gets true.
   */
  swap(name: string, document: string, seen: number): Promise<boolean>;
}

export interface LiveDocument<T> {
  name: string;
  /** As of the last look: the same object for as long as nothing has changed. */
  now(): T;
  /** Looks at the store. @throws unavailable. */
  refresh(): Promise<void>;
  /**
   * Applies a change to the newest one, again when somebody else was faster; what is given back as it was is not written.
   * @throws conflict when it keeps changing, and what `apply` throws.
   */
  change(apply: (value: T) => T): Promise<T>;
  /** Calls `follow` when this process has seen a change. */
  onChange(follow: () => void): void;
}

const ATTEMPTS = 8;

/** @param empty what there is where nothing was ever stored. */
export function createLiveDocument<T>(store: LiveDocumentStore, name: string, empty: T): LiveDocument<T> {
  let held = { version: 0, value: empty };
  const followers: (() => void)[] = [];

  async function read(): Promise<{ version: number; value: T }> {
    const stored = await store.read(name);
    return stored ? { version: stored.version, value: JSON.parse(stored.document) as T } : { version: 0, value: empty };
  }

  /** Answers may overtake each other. */
  function hold(seen: { version: number; value: T }): void {
    if (seen.version <= held.version) return;
    held = seen;
    for (const follow of followers) follow();
  }

  return {
    name,
    now: () => held.value,
    refresh: async () => hold(await read()),
    async change(apply) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { version, value } = await read();
        const next = apply(value);
        if (next === value) return value;
        if (await store.swap(name, JSON.stringify(next), version)) {
          hold({ version: version + 1, value: next });
          return next;
        }
      }
      throw conflict(`${name} keep changing; try again`);
    },
    onChange: (follow) => void followers.push(follow),
  };
}

const POLL_MS = 500;

/** Has this process follow the documents. @returns what stops it. */
export function followDocuments(
  store: LiveDocumentStore,
  documents: Pick<LiveDocument<unknown>, 'name' | 'refresh'>[],
  log: Logger,
): () => void {
  const seen = new Map<string, number>();
  let looking = false;
  let failing = false;
  let stopped = false;

  async function look(): Promise<void> {
    const versions = await store.versions();
    for (const { name, refresh } of documents) {
      const version = versions[name] ?? 0;
      if (seen.get(name) === version) continue;
      await refresh();
      seen.set(name, version);
    }
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .then(() => {
        failing = false;
      })
      .catch((error: unknown) => {
        if (!failing && !stopped) log.warn({ err: error }, 'what admins have set cannot be followed');
        failing = true;
      })
      .finally(() => {
        looking = false;
      });
  }, POLL_MS).unref();
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
