import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/account.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

interface Needs {
  accounts: Accounts;
  consents: ConsentStore;
  identities: { deleteByAccount(accountId: string): Promise<void> };
  factors: { erase(accountId: string): Promise<void> };
  records: SealedRecords;
}

/** Use cases that end what acts in a person's name, for every instance at once: the store is where all of them look. */
export interface Access {
  /** The account stays, nobody can use it: sessions and grants end, and none can begin. @throws not_found. */
  suspend(id: string): Promise<Account>;
  resume(id: string): Promise<Account>;
  /** @throws not_found, invalid_input. */
  setPassword(id: string, password: string): Promise<Account>;
  /** For whoever has lost all they could prove: second factors and passkeys go, and what acts in their name ends. */
  resetFactors(id: string): Promise<void>;
  /** Forgets what the person allowed an app and ends its tokens. @returns whether anything was allowed. */
  withdrawConsent(id: string, clientId: string): Promise<boolean>;
  /** Removes the account and everything that descends from it. @returns whether there was one. */
  remove(id: string): Promise<boolean>;
}

export function createAccess({ accounts, consents, identities, factors, records }: Needs): Access {
  return {
    // First the state, then what is under way: a sign-in in between finds the account suspended.
    async suspend(id) {
      const account = await accounts.setState(id, 'suspended');
      await records.revokeByAccount(id);
      return account;
    },
    resume: (id) => accounts.setState(id, 'active'),
    async setPassword(id, password) {
      const account = await accounts.setPassword(id, password);
      await records.revokeByAccount(id);
      return account;
    },
    async resetFactors(id) {
      await factors.erase(id);
      await records.revokeByAccount(id);
    },
    async withdrawConsent(id, clientId) {
      const existed = await consents.delete(id, clientId);
      await records.revokeByClient(id, clientId);
      return existed;
    },
    async remove(id) {
      // First, or an upstream sign-in in between would take the account for one that is yet to be made.
      await identities.deleteByAccount(id);
      const existed = await accounts.delete(id);
      await factors.erase(id);
      await records.revokeByAccount(id);
      await consents.deleteByAccount(id);
      return existed;
    },
  };
}
