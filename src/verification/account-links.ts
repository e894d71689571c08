/** Links that are about an account: dead as soon as its address or password is another one. */
import type { Account } from '../accounts/account.ts';
import { isClosed } from '../accounts/leaving.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { JourneyMark, LinkPurpose, MailedLink, MailedLinks } from './links.ts';

export interface AccountLinkRequest {
  account: Account;
  /** The address it is mailed to: the account's own unless named. */
  email?: string;
  journey?: JourneyMark | null | undefined;
  data?: Record<string, string>;
  ttl: number;
}

/** A link that may still be used, and the account as it is now. */
export interface UsableLink {
  link: MailedLink;
  account: Account;
}

export interface AccountLinks {
  issue(purpose: LinkPurpose, request: AccountLinkRequest): Promise<string>;
  /** Does the same work for nobody. */
  issueDecoy(purpose: LinkPurpose, subject: string, ttl: number): Promise<void>;
  /**
   * Undefined too when the account is gone or suspended, or its address or password changed since. Of an account that is about to
   * be deleted only what leads back into it works: whoever forgot the password can keep it all the same.
   */
  find(purpose: LinkPurpose, token: string): Promise<UsableLink | undefined>;
  /** The same, and uses it up: of callers at once exactly one gets it. */
  take(purpose: LinkPurpose, token: string): Promise<UsableLink | undefined>;
  end(purpose: LinkPurpose, accountId: string): Promise<void>;
}

interface Needs {
  links: MailedLinks;
  accounts: { find(id: string): Promise<Account | undefined> };
  vault: Vault;
}

const LEAD_BACK: LinkPurpose[] = ['reset_password', 'sign_in'];

const mayUse = (purpose: LinkPurpose, account: Account): boolean =>
  account.state === 'active' || (LEAD_BACK.includes(purpose) && !isClosed(account));

export function createAccountLinks({ links, accounts, vault }: Needs): AccountLinks {
  /** The hash of the password is part of it: whoever had a link when it was changed has it no more. */
  const stateOf = ({ email_normalized, password_hash }: Account) =>
    vault.sign('account state', JSON.stringify([email_normalized, password_hash]));

  async function find(purpose: LinkPurpose, token: string): Promise<UsableLink | undefined> {
    const link = await links.find(purpose, token);
    const account = link?.account_id ? await accounts.find(link.account_id) : undefined;
    if (!link || !account || !mayUse(purpose, account) || stateOf(account) !== link.state) return undefined;
    return { link, account };
  }

  return {
    find,
    issue: (purpose, { account, email = account.email, journey = null, data = {}, ttl }) =>
      links.issue({
        purpose,
        subject: account.id,
        email,
        account_id: account.id,
        state: stateOf(account),
        journey,
        data,
        ttl,
      }),
    async issueDecoy(purpose, subject, ttl) {
      await links.issue({
        purpose,
        subject: `nobody:${subject}`,
        email: '',
        account_id: null,
        state: null,
        journey: null,
        data: {},
        ttl,
      });
    },
    async take(purpose, token) {
      const usable = await find(purpose, token);
      return usable && (await links.redeem(token)) ? usable : undefined;
    },
    end: (purpose, accountId) => links.end(purpose, accountId),
  };
}
