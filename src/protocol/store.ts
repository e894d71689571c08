/**
 * Protocol records: codes, tokens, grants, sessions, interactions. This room owns how they rest in the store: under keyed
 * hashes, sealed, with just the columns that look-up and revocation need. What they mean is the business of `oidc/`.
 */

export interface ProtocolRecord {
  /** Keyed hash of kind and id: unique. */
  key: string;
  /** Such as `AuthorizationCode`, `Session`. */
  kind: string;
  /** The encrypted payload. */
  sealed: Uint8Array;
  /** Epoch seconds; null never expires. */
  expires_at: number | null;
  /** Epoch seconds of the one use, null while unused. */
  consumed_at: number | null;
  /** Key of the grant it descends from; of a grant, its own key. */
  grant_key: string | null;
  /** Keyed hash of a session's uid. */
  uid_key: string | null;
  /** Keyed hash of a device flow's user code. */
  user_code_key: string | null;
  /** Keyed hash of the account of a session or grant. */
  account_key: string | null;
  /** Keyed hash of the uid of the session a grant ends with; null where it outlives log-out. */
  session_key: string | null;
}

/**
 * Where protocol records are kept. For every reader an expired record is absent, swept or not. Writes survive a
 * killed process; revocations survive power loss.
 */
export interface ProtocolStore {
  /** Adds or replaces the record under its key. Replacing keeps `consumed_at`: nothing is ever un-consumed. `durable`: it survives power loss. */
  upsert(record: ProtocolRecord, options?: { durable: boolean }): Promise<void>;
  /**
   * Puts the record in the place of the one under `fromKey` (which may be its own key), if that is still there. What was ended
   * meanwhile stays ended. @returns whether it was there.
   */
  move(fromKey: string, record: ProtocolRecord): Promise<boolean>;
  /**
   * Puts the record in the place of the one under its key, if that still has the payload `sealed`: compare-and-set. Keeps
   * `consumed_at`. @returns whether it did; of callers at once that saw the same payload exactly one gets true.
   */
  swap(record: ProtocolRecord, sealed: Uint8Array): Promise<boolean>;
  /** Adds the record if its key is free (an expired holder counts as free). Of callers at once exactly one gets true. */
  insertIfAbsent(record: ProtocolRecord): Promise<boolean>;
  find(key: string): Promise<ProtocolRecord | undefined>;
  findByUid(uidKey: string): Promise<ProtocolRecord | undefined>;
  findByUserCode(userCodeKey: string): Promise<ProtocolRecord | undefined>;
  /** Marks as used, keeping the expiry. Of callers at once exactly one gets true; an absent record gives false. */
  consume(key: string, at: number): Promise<boolean>;
  /** @param options `durable`: the removal survives power loss. */
  destroy(key: string, options: { durable: boolean }): Promise<void>;
  /** Records in the order of their keys, from the first one after `after` (empty: from the beginning). */
  listInOrder(after: string, limit: number): Promise<ProtocolRecord[]>;
  /**
   * Sessions in which somebody is signed in, those that end last, which is those used last, first.
   * @param after where the page before ended. Expired ones are absent.
   */
  listSessions(after: { expires_at: number; key: string } | undefined, limit: number): Promise<ProtocolRecord[]>;
  /** How many of these there are, counted up to `most`. */
  countSessions(most: number): Promise<number>;
  /** An account's records of one kind, such as `Grant` or `Session`, in no order. */
  listByAccount(accountKey: string, kind: string): Promise<ProtocolRecord[]>;
  /** Removes everything that descends from a grant, the grant record included if `withGrant`. */
  revokeGrant(grantKey: string, options: { withGrant: boolean }): Promise<void>;
  /** Removes a session (every record with its uid), the grants that end with it, and everything that descends from them. */
  revokeBySession(sessionKey: string): Promise<void>;
  /**
   * Removes an account's sessions and grants, and everything that descends from them.
   * @param options `keepUid`: the uid key of the one session that stays; its grants do not.
   */
  revokeByAccount(accountKey: string, options?: { keepUid: string }): Promise<void>;
  /** Removes records that expired before `now`, at most `limit`. @returns how many. Stores that expire by themselves do nothing. */
  sweep(now: number, limit: number): Promise<number>;
}
