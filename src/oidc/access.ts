import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/account.ts';
import type { Audit } from '../audit/audit.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Endings } from '../logout/endings.ts';

interface Needs {
  accounts: Accounts;
  consents: ConsentStore;
  identities: { deleteByAccount(accountId: string): Promise<void> };
  factors: { erase(accountId: string): Promise<void> };
  audit: Pick<Audit, 'record' | 'erase'>;
  endings: Pick<Endings, 'account' | 'app'>;
}

/** Use cases that end what acts in a person's name, for every instance at once: the store is where all of them look. */
export interface Access {
  /** The account stays, nobody can use it: sessions and grants end, and none can begin. @throws not_found. */
  suspend(id: string): Promise<Account>;
  resume(id: string): Promise<Account>;
  /** All sessions end but the one with the uid `keepSession`, if given. @throws not_found, invalid_input. */
  setPassword(id: string, password: string, options?: { keepSession: string }): Promise<Account>;
  /** The one that was demanded, by whoever signs in; the session with the uid `keepSession` goes on. @throws as `chooseNewPassword`. */
  chooseNewPassword(id: string, password: string, options: { keepSession: string | undefined }): Promise<Account>;
  /** The person wants their account deleted at `eraseAt` (ISO 8601): until then it is as good as suspended. */
  leave(id: string, eraseAt: string): Promise<Account>;
  /** For whoever has lost all they could prove: second factors and passkeys go, and what acts in their name ends. */
  resetFactors(id: string): Promise<void>;
  /** Forgets what the person allowed an app and ends its tokens. @returns whether anything was allowed. */
  withdrawConsent(id: string, clientId: string): Promise<boolean>;
  /**
   * Erases the account and everything that descends from it, in every collection; what happened stays under a pseudonym. What is
   * stopped in between is finished by the next run of the job that erases. @returns whether there was one.
   */
  remove(id: string, version?: number): Promise<boolean>;
}

export function createAccess({ accounts, consents, identities, factors, audit, endings }: Needs): Access {
  return {
    // First the state, then what is under way: a sign-in in between finds the account suspended.
    async suspend(id) {
      const account = await endings.account({ accountId: id, cause: 'suspended' }, () =>
        accounts.setState(id, 'suspended'),
      );
      await audit.record('suspended', id, { actor: 'admin' });
      return account;
    },
    async resume(id) {
      const account = await accounts.setState(id, 'active');
      await audit.record('resumed', id, { actor: 'admin' });
      return account;
    },
    async setPassword(id, password, options) {
      const kept = options && { keep: options.keepSession };
      const account = await endings.account({ accountId: id, ...kept, cause: 'password_changed' }, () =>
        accounts.setPassword(id, password),
      );
      await audit.record('password_changed', id, { actor: options ? 'person' : 'admin' });
      return account;
    },
    async chooseNewPassword(id, password, { keepSession }) {
      const kept = keepSession === undefined ? {} : { keep: keepSession };
      const account = await endings.account({ accountId: id, ...kept, cause: 'password_changed' }, () =>
        accounts.chooseNewPassword(id, password),
      );
      await audit.record('password_changed', id);
      return account;
    },
    async leave(id, eraseAt) {
      const account = await endings.account({ accountId: id, cause: 'deletion' }, () => accounts.leave(id, eraseAt));
      await audit.record('deletion_asked', id);
      return account;
    },
    async resetFactors(id) {
      await endings.account({ accountId: id, cause: 'factors_reset' }, () => factors.erase(id));
      await audit.record('factors_reset', id, { actor: 'admin' });
    },
    async withdrawConsent(id, clientId) {
      const existed = await consents.delete(id, clientId);
      await endings.app({ accountId: id, clientId, cause: 'app_withdrawn' });
      return existed;
    },
    async remove(id, version) {
      // From here on nobody signs in, so nothing new comes in between; the account itself goes last, as it says what is left to do.
      const existed = await endings.account({ accountId: id, cause: 'erased' }, () => accounts.condemn(id, version));
      await identities.deleteByAccount(id);
      await factors.erase(id);
      await consents.deleteByAccount(id);
      if (await accounts.delete(id)) await audit.record('erased', id, { actor: 'system' });
      await audit.erase(id);
      return existed;
    },
  };
}
