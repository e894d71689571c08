/**
 * Wrong client secrets. The token endpoint is the busiest of all, so nothing is counted before a secret is compared, and a right
 * one writes nothing: whether any client is locked anywhere is asked once a second, and only then about this one. Within one
 * process wrong secrets are also counted in memory, at the moment they are compared, so that many at the same instant get no
 * more tries than one after another. Another process knows of a lock-out a second later at most.
 */
import { networkOf } from '../kernel/addresses.ts';
import { isGatehouseError, limited } from '../kernel/errors.ts';
import type { LimitKeys, Limits } from './limits.ts';
import type { CounterStore } from './store.ts';

const HELD_MS = 1000;
const MOST_NOTES = 10_000;

interface Note {
  /** Wrong secrets compared in this process since `since`. */
  wrong: number;
  since: number;
  /** Epoch milliseconds. */
  lockedUntil: number;
  /** When the store was last asked about this pair. */
  askedAt: number;
}

export interface ClientGuard {
  /**
   * Called with what the comparison of a secret gave, for the client and the address it came from. @returns the same.
   * @throws limited, also for the right secret, while the two are locked; unavailable.
   */
  compared(client: string, address: string, matches: boolean): Promise<boolean>;
}

interface Needs {
  limits: Pick<Limits, 'reserve' | 'lockedFor'>;
  store: Pick<CounterStore, 'get' | 'block'>;
  vault: { lookupKey(kind: string, id: string): string };
  settings: { enabled: boolean; window: number; lock_seconds: number[]; client: { client_and_address: number } };
}

/** Notes by client and network, the oldest dropped first. */
function createNotes(windowMs: number) {
  const notes = new Map<string, Note>();
  return (name: string): Note => {
    const now = Date.now();
    let note = notes.get(name);
    if (!note || (note.since + windowMs <= now && note.lockedUntil <= now)) {
      note = { wrong: 0, since: now, lockedUntil: 0, askedAt: 0 };
      notes.delete(name);
      if (notes.size >= MOST_NOTES) notes.delete(notes.keys().next().value!);
      notes.set(name, note);
    }
    return note;
  };
}

const isFresh = (at: number) => Date.now() - at < HELD_MS && Date.now() >= at;

/** Whether any client is locked, anywhere: asked of the store once a second. */
function createSign(store: Needs['store'], key: string, milliseconds: number) {
  let askedAt = 0;
  let up: Promise<boolean> = Promise.resolve(false);
  return {
    isUp(): Promise<boolean> {
      if (!isFresh(askedAt)) {
        askedAt = Date.now();
        up = store.get(key).then((counter) => counter !== undefined);
        // A failure is told to who asked, and asked again by the next.
        up.catch(() => (askedAt = 0));
      }
      return up;
    },
    async raise(): Promise<void> {
      await store.block(key, 1, milliseconds);
      askedAt = 0;
    },
  };
}

export function createClientGuard({ limits, store, vault, settings }: Needs): ClientGuard {
  if (!settings.enabled) return { compared: async (_client, _address, matches) => matches };
  const most = settings.client.client_and_address;
  const firstLockMs = settings.lock_seconds[0]! * 1000;
  const noteOf = createNotes(settings.window * 1000);
  const sign = createSign(
    store,
    vault.lookupKey('limit', 'a client is locked'),
    Math.max(...settings.lock_seconds) * 1000,
  );

  const refuse = (note: Note) => limited(Math.ceil((note.lockedUntil - Date.now()) / 1000));

  async function refuseIfLocked(note: Note, keys: LimitKeys): Promise<void> {
    if (isFresh(note.askedAt) || !(await sign.isUp())) return;
    note.askedAt = Date.now();
    const seconds = await limits.lockedFor('client', keys);
    if (seconds === 0) return;
    note.lockedUntil = Date.now() + seconds * 1000;
    throw refuse(note);
  }

  async function countWrong(note: Note, keys: LimitKeys): Promise<void> {
    note.wrong += 1;
    if (note.wrong >= most) note.lockedUntil = Date.now() + firstLockMs;
    try {
      const reservation = await limits.reserve('client', keys);
      const seconds = await reservation.wrong();
      if (seconds === 0) return;
      Object.assign(note, { wrong: 0, lockedUntil: Date.now() + seconds * 1000 });
      await sign.raise();
    } catch (error) {
      if (isGatehouseError(error, 'limited')) note.lockedUntil = Date.now() + error.retryAfter! * 1000;
      throw error;
    }
  }

  return {
    async compared(client, address, matches) {
      const keys = { client, address };
      const note = noteOf(JSON.stringify([client, networkOf(address)]));
      if (note.lockedUntil > Date.now()) throw refuse(note);
      await (matches ? refuseIfLocked(note, keys) : countWrong(note, keys));
      return matches;
    },
  };
}
