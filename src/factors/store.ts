/** A browser in which its person proved a second factor and need not do so again for a while. */
export interface RememberedDevice {
  id: string;
  /** Keyed hash of account and mark, the mark being what the browser has. */
  mark_hash: string;
  /** As people call it: `Firefox on Windows`. */
  name: string;
  created_at: string;
  last_used_at: string;
  /** Epoch seconds. */
  expires_at: number;
}

export interface Totp {
  /** The secret, sealed, in base64. */
  sealed: string;
  created_at: string;
  last_used_at: string | null;
  /** The newest time step of which a code was used: no code of it or of an earlier one is good again. */
  last_step: number;
}

/** The second factors of one account, passkeys apart: one record, so that each change of it is one compare-and-set. */
export interface AccountFactors {
  account_id: string;
  totp: Totp | null;
  /** Keyed hashes of those that are left, and when they were made. */
  recovery_codes: { hashes: string[]; created_at: string } | null;
  devices: RememberedDevice[];
  /** When the person was first asked to add a factor: their time of grace began. */
  asked_at: string | null;
  /** Counted up by each change. */
  version: number;
}

/** Where they are kept. */
export interface FactorStore {
  find(accountId: string): Promise<AccountFactors | undefined>;
  /**
   * Puts the record in the place of the one with version `factors.version`, or where that is 0 in the place of none, counting the
   * version up. @param options `durable` (the default): it survives power loss; otherwise a killed process.
   * @returns whether it did; of callers at once that saw the same version exactly one gets true.
   */
  put(factors: AccountFactors, options?: { durable: boolean }): Promise<boolean>;
  /** Those with any, in the order of their ids, from the first one after `after` (empty: from the beginning). */
  listInOrder(after: string, limit: number): Promise<AccountFactors[]>;
  /** @returns whether there was one. */
  delete(accountId: string): Promise<boolean>;
}
