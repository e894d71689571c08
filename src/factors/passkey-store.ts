import type { Passkey } from './passkey.ts';

/** What a use of a passkey leaves behind. */
export type PasskeyUse = Pick<Passkey, 'counter' | 'backed_up' | 'last_used_at'>;

/** Where passkeys are kept. Every write survives power loss once its promise resolves, unless it says otherwise. */
export interface PasskeyStore {
  /** @throws duplicate when the credential id is taken, by whomever: of callers at once, one wins. */
  insert(passkey: Passkey): Promise<void>;
  find(credentialId: string): Promise<Passkey | undefined>;
  /** Oldest first. */
  listByAccount(accountId: string): Promise<Passkey[]>;
  /**
   * Notes a use if the counter went forward, or is 0 and always was: of callers at once with one counter, one wins. A power loss
   * may take it back. @returns whether it did; false too where the passkey is gone.
   */
  noteUse(credentialId: string, use: PasskeyUse): Promise<boolean>;
  /** Renames a passkey of this account. @returns whether there was one. */
  rename(credentialId: string, accountId: string, name: string): Promise<boolean>;
  /** Removes a passkey of this account. @returns whether there was one. */
  delete(credentialId: string, accountId: string): Promise<boolean>;
  deleteByAccount(accountId: string): Promise<void>;
}
