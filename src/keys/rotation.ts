/** The use cases that change the ring of signing keys. Each is one compare-and-set: of processes at once exactly one wins. */
import { conflict, invalidInput, notFound } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { KeyMaker, MadeKey } from './making.ts';
import type { RotationPolicy } from './policy.ts';
import { SIGNING_ALGORITHMS } from './signing-key.ts';
import type { KeyRing, SigningAlgorithm, SigningKey } from './signing-key.ts';
import { dueNow, remove } from './steps.ts';
import type { Due, SeenFor } from './steps.ts';
import type { KeyRingStore } from './store.ts';

const ATTEMPTS = 5;

export interface Rotation {
  /** The ring as it is; version 0 where there is none yet, with what an older version left behind. */
  read(): Promise<KeyRing>;
  /** Does what is due. @returns whether this caller did something; false also where another one was faster. */
  check(seenFor: SeenFor): Promise<boolean>;
  /** Publishes the next key of each algorithm that has none. @returns those that were made. @throws invalid_input for an algorithm that is not in use. */
  rotate(algorithms?: SigningAlgorithm[]): Promise<SigningKey[]>;
  /**
   * Removes keys that somebody else may have, and has others sign at once: all of the algorithms, or one key by its id. Where the
   * next key is not among them it takes over, as caches may know it already.
   * @returns the keys that were removed. @throws not_found, invalid_input.
   */
  compromise(which: { algorithms?: SigningAlgorithm[]; id?: string }): Promise<SigningKey[]>;
  /** Seals private keys with the newest encryption key. @returns how many. */
  reseal(): Promise<number>;
}

interface Needs {
  store: KeyRingStore;
  maker: KeyMaker;
  policy: RotationPolicy;
  log: Logger;
}

const isAlgorithm = (alg: string): alg is SigningAlgorithm => (SIGNING_ALGORITHMS as readonly string[]).includes(alg);

export function createRotation({ store, maker, policy, log }: Needs): Rotation {
  async function takenOver(): Promise<SigningKey[]> {
    const old = await store.listOld();
    return old.flatMap(({ id, alg, sealed, created_at }): SigningKey[] => {
      if (!isAlgorithm(alg)) return [];
      const public_jwk = maker.publicHalf({ id, sealed });
      const dates = { created_at, signs_at: created_at, stopped_at: null, ends_at: null };
      const kept = { held: 'store', sealed: Buffer.from(sealed).toString('base64') } as const;
      return [{ id, alg, state: 'active', public_jwk, ...kept, ...dates, compromised: false }];
    });
  }

  async function read(): Promise<KeyRing> {
    const stored = await store.read('signing');
    if (stored) return { version: stored.version, keys: (JSON.parse(stored.document) as Pick<KeyRing, 'keys'>).keys };
    return { version: 0, keys: await takenOver() };
  }

  /** What a signer, or an older version, holds of a key goes with it. That it stays there breaks nothing. */
  async function discard(keys: MadeKey[]): Promise<void> {
    for (const key of keys) {
      await maker
        .destroy(key)
        .catch((error: unknown) => log.warn({ err: error, key: key.id }, 'a signer kept a key that is no longer used'));
    }
  }

  async function swap(before: KeyRing, keys: SigningKey[], made: MadeKey[]): Promise<boolean> {
    let won: boolean;
    try {
      won = await store.swap('signing', JSON.stringify({ keys }), before.version);
    } catch (error) {
      // It may have been written all the same, so nothing is taken away: the next check sees what became of it.
      log.warn({ err: error }, 'a step of the key rotation may not have been stored');
      throw error;
    }
    if (!won) {
      await discard(made);
      return false;
    }
    const gone = before.keys.filter(
      ({ id, sealed }) => sealed !== null && (keys.find((key) => key.id === id)?.sealed ?? null) === null,
    );
    if (gone.length > 0) {
      await discard(gone);
      await store.deleteOld(gone.map(({ id }) => id));
    }
    return true;
  }

  async function make(wanted: Due['make'], now: number): Promise<SigningKey[]> {
    const created_at = new Date(now).toISOString();
    return Promise.all(
      wanted.map(async ({ alg, state, signs_at }) => ({
        ...(await maker.make(alg)),
        state,
        created_at,
        signs_at,
        stopped_at: null,
        ends_at: null,
        compromised: false,
      })),
    );
  }

  function note(changes: Due['changes'], made: SigningKey[]): void {
    for (const { id, alg, change } of changes)
      log.info({ key: id, alg, state: change }, 'a signing key changed its state');
    for (const { id, alg, state, signs_at } of made)
      log.info({ key: id, alg, state, signs_at }, 'a signing key was made');
  }

  /** Applies a change to the newest ring, again when somebody else was faster. */
  async function persistently<T>(
    change: (keys: SigningKey[]) => { make: Due['make']; keys: SigningKey[]; result: (made: SigningKey[]) => T },
  ): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const ring = await read();
      const { make: wanted, keys, result } = change(ring.keys);
      if (wanted.length === 0 && keys === ring.keys) return result([]);
      const made = await make(wanted, Date.now());
      if (await swap(ring, [...keys, ...made], made)) return result(made);
    }
    throw conflict('the signing keys keep changing; try again');
  }

  const inUse = (algorithms: SigningAlgorithm[] = [...policy.algorithms]) => {
    const unknown = algorithms.find((alg) => !policy.algorithms.includes(alg));
    if (unknown) throw invalidInput(`${unknown} is not one of keys.algorithms`, 'alg');
    return algorithms;
  };

  /** One key that is to go, and what signs after it. */
  function withoutOne(keys: SigningKey[], id: string, now: number): { make: Due['make']; keys: SigningKey[] } {
    const bad = keys.find((key) => key.id === id);
    if (!bad || bad.state === 'removed') throw notFound(`there is no signing key ${id}, or it is removed`);
    const signs_at = new Date(now).toISOString();
    const heir = keys.find((key) => key.alg === bad.alg && key.state === 'next' && key !== bad);
    const takesOver = bad.state === 'active' && heir !== undefined;
    const rest = keys.map((key) => {
      if (key === bad) return remove(key, now, true);
      return takesOver && key === heir ? { ...key, state: 'active' as const, signs_at } : key;
    });
    const needed = bad.state === 'active' && !takesOver && policy.algorithms.includes(bad.alg);
    return { keys: rest, make: needed ? [{ alg: bad.alg, state: 'active', signs_at }] : [] };
  }

  return {
    read,

    async check(seenFor) {
      const ring = await read();
      const now = Date.now();
      const due = dueNow(ring.keys, now, policy, seenFor);
      const forgotten = due.keys.length < ring.keys.length;
      if (ring.version > 0 && due.changes.length === 0 && due.make.length === 0 && !forgotten) return false;
      const made = await make(due.make, now);
      if (!(await swap(ring, [...due.keys, ...made], made))) return false;
      note(due.changes, made);
      return true;
    },

    rotate(algorithms) {
      const wanted = inUse(algorithms);
      return persistently((keys) => {
        const signs_at = new Date(Date.now() + policy.lead * 1000).toISOString();
        const without = wanted.filter((alg) => !keys.some((key) => key.alg === alg && key.state === 'next'));
        return { keys, make: without.map((alg) => ({ alg, state: 'next', signs_at })), result: (made) => made };
      });
    },

    async compromise({ algorithms, id }) {
      const affected = id === undefined ? inUse(algorithms) : [];
      return persistently((keys) => {
        const now = Date.now();
        const signs_at = new Date(now).toISOString();
        const ofAll = (): { make: Due['make']; keys: SigningKey[] } => ({
          keys: keys.map((key) =>
            affected.includes(key.alg) && key.state !== 'removed' ? remove(key, now, true) : key,
          ),
          make: affected.map((alg) => ({ alg, state: 'active', signs_at })),
        });
        const change = id === undefined ? ofAll() : withoutOne(keys, id, now);
        const removed = change.keys.filter((key, i) => key.state === 'removed' && keys[i]!.state !== 'removed');
        for (const key of removed) log.warn({ key: key.id, alg: key.alg }, 'a signing key was removed as compromised');
        return { ...change, result: () => removed };
      });
    },

    async reseal() {
      const count = await persistently((keys) => {
        const resealed = keys.map((key) => {
          const sealed = maker.reseal(key);
          return sealed === undefined ? key : { ...key, sealed };
        });
        const changed = resealed.filter((key, i) => key !== keys[i]).length;
        return { make: [], keys: changed > 0 ? resealed : keys, result: () => changed };
      });
      // What the ring has taken over would stay sealed with a key that is to be forgotten.
      const { version, keys } = await read();
      if (version > 0) await store.deleteOld(keys.map(({ id }) => id));
      return count;
    },
  };
}
