import type { Identity, IdentityKey } from './identity.ts';

/** Where identities are kept. Every write survives power loss once its promise resolves. */
export interface IdentityStore {
  /** @throws duplicate when provider, issuer and subject are taken: of callers at once, one wins. */
  insert(identity: Identity): Promise<void>;
  find(key: IdentityKey): Promise<Identity | undefined>;
  /** Notes a sign-in; does nothing where the identity is gone. */
  noteUse(key: IdentityKey, seen: Pick<Identity, 'email' | 'last_used_at'>): Promise<void>;
  /** Oldest first. */
  listByAccount(accountId: string): Promise<Identity[]>;
  /** Removes the identity if it still leads to this account. @returns whether it did. */
  delete(key: IdentityKey, accountId: string): Promise<boolean>;
  deleteByAccount(accountId: string): Promise<void>;
}
