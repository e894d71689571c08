/**
 * What somebody may have planted in an account under an address that is not theirs, before its owner came (pre-hijacking:
 * Sudhodanan and Paverd, 2022). Until the address is proved nobody knows who made the account; whoever proves it gets it empty.
 */
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { AccountLinks } from './account-links.ts';

export interface Planted {
  /** Ends sessions, tokens and what is under way; where the address was never proved, upstream logins and second factors too. */
  clear(account: Account): Promise<void>;
  /**
   * Gives the account to whoever proved its address by mail alone. The first time everything planted goes, the password too.
   * @throws conflict when the account has another address by now.
   */
  claim(account: Account): Promise<Account>;
}

interface Needs {
  accounts: Pick<Accounts, 'claim'>;
  endAccess(accountId: string): Promise<void>;
  links: Pick<AccountLinks, 'end'>;
  identities: { deleteByAccount(accountId: string): Promise<void> };
  factors: { erase(accountId: string): Promise<void> };
  audit: { record(type: 'account_claimed', accountId: string): Promise<void> };
}

export function createPlanted({ accounts, endAccess, links, identities, factors, audit }: Needs): Planted {
  async function clear({ id, email_verified }: Account): Promise<void> {
    await links.end('change_email', id);
    if (!email_verified) {
      await identities.deleteByAccount(id);
      await factors.erase(id);
    }
    await endAccess(id);
  }

  return {
    clear,
    async claim(account) {
      if (account.email_verified) return account;
      // Before, in case we are stopped in between; after, for what came in between.
      await clear(account);
      const claimed = await accounts.claim(account.id, account.email);
      await clear(account);
      await audit.record('account_claimed', account.id);
      return claimed;
    },
  };
}
