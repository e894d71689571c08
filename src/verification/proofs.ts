/** What follows when an address was proved, by link or by code, for each thing a journey may have asked it for. */
import type { Account } from '../accounts/account.ts';
import { isClosed } from '../accounts/leaving.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { normalizeEmail } from '../accounts/email.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { PendingSignUp, RequestPurpose } from './request.ts';
import type { Planted } from './planted.ts';

export interface AddressProofs {
  /** Makes the promised account, verified. Twice is once. @returns undefined when somebody else has the address by now. */
  signUp(pending: PendingSignUp, email: string): Promise<Account | undefined>;
  /**
   * Proved for an account that exists: its address, or for an unverified one the address it shall have instead. For what
   * signs in that is all that was proved: see `planted.ts`. @returns undefined too when the account is gone or suspended.
   */
  forAccount(
    purpose: Exclude<RequestPurpose, 'sign_up'>,
    accountId: string,
    email: string,
  ): Promise<Account | undefined>;
}

export function createAddressProofs({ accounts, planted }: { accounts: Accounts; planted: Planted }): AddressProofs {
  /** The address of an account, or the one that an unverified account shall have instead. */
  async function verify(account: Account, email: string): Promise<Account | undefined> {
    if (normalizeEmail(email) === account.email_normalized) {
      return account.email_verified ? account : accounts.markEmailVerified(account.id, email);
    }
    // A proved address is changed with notice and undoing only: see `email-change.ts`.
    if (account.email_verified) return undefined;
    try {
      const update = { from: account.email_normalized, to: email };
      return await accounts.changeEmail(account.id, update, { verified: true, keepPassword: true });
    } catch (error) {
      if (!isGatehouseError(error, 'duplicate')) throw error;
      return undefined;
    }
  }

  return {
    async signUp({ account_id: id, name, password_hash }, email) {
      try {
        return await accounts.create({
          id,
          name,
          email,
          email_verified: true,
          ...(password_hash === null ? {} : { password_hash }),
        });
      } catch (error) {
        if (!isGatehouseError(error, 'duplicate')) throw error;
        const holder = await accounts.findByEmail(email);
        return holder?.id === id ? holder : undefined;
      }
    },

    async forAccount(purpose, accountId, email) {
      const account = await accounts.find(accountId);
      // Whoever wants their account deleted may sign in by mail to keep it.
      if (!account || isClosed(account) || (account.state !== 'active' && purpose !== 'sign_in')) return undefined;
      if (purpose === 'verify_email') return verify(account, email);
      return normalizeEmail(email) === account.email_normalized ? planted.claim(account) : undefined;
    },
  };
}
