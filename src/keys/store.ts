/** Where keys are kept, and who asked for the public ones. */

/** `signing`: the keys that sign tokens. `hashing`: what ids are hashed with. */
export type RingName = 'signing' | 'hashing';

export interface StoredRing {
  /** Counted up by each change: whoever has seen this number has seen it all. */
  version: number;
  document: string;
}

/** A signing key as older versions kept it, one row each. */
export interface OldSigningKey {
  id: string;
  alg: string;
  sealed: Uint8Array;
  created_at: string;
}

/**
 * All keys of one kind are one document, so that each step of a rotation is one compare-and-set: there is no moment between two
 * writes at which a crash could leave none, or two, that sign.
 */
export interface KeyRingStore {
  /** The version of a ring; 0 where there is none. Asked for twice a second by every process. */
  version(name: RingName): Promise<number>;
  read(name: RingName): Promise<StoredRing | undefined>;
  /**
   * Puts `document` in the place of the one with version `seen`, or where that is 0 in the place of none, counting the version
   * up. Survives power loss. @returns whether it did; of callers at once that saw the same version exactly one gets true.
   */
  swap(name: RingName, document: string, seen: number): Promise<boolean>;
  /** What an older version left behind, oldest first. */
  listOld(): Promise<OldSigningKey[]>;
  deleteOld(ids: string[]): Promise<void>;
}

/** Who fetched the public keys: a hint for people, by which nothing is decided. */
export interface KeySetFetch {
  /** Network address. */
  address: string;
  user_agent: string;
  /** Epoch seconds. */
  first_at: number;
  last_at: number;
  /** How often, roughly. */
  fetches: number;
}

export interface KeySetFetchStore {
  /** Adds these up with what is known of the same address and user agent. */
  add(fetches: KeySetFetch[]): Promise<void>;
  /** Those whose last fetch is not before `since` (epoch seconds), the newest first. */
  list(since: number, limit: number): Promise<KeySetFetch[]>;
  /** Removes those whose last fetch was before `before`, and of the others the oldest beyond `keep`. */
  purge(before: number, keep: number): Promise<void>;
}
