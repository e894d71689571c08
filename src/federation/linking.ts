/**
 * The rules by which an upstream identity gets its account. Found by provider and subject, never by e-mail. Made where nobody has
 * the (verified) e-mail. Joined to an existing account only when the upstream vouches for the e-mail, the account's own e-mail
 * was proved before (or is proved now, by mail, which empties an account that somebody else may have made), and the person proves
 * the account in the same journey.
 */
import { isoNow } from '../kernel/clock.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Identity, UpstreamIdentity } from './identity.ts';
import type { IdentityStore } from './store.ts';

/** What the rules look at in an account. */
interface KnownAccount {
  id: string;
  email: string;
  email_normalized: string;
  email_verified: boolean;
  state: 'active' | 'suspended' | 'deleting';
}

export interface LinkingNeeds {
  identities: IdentityStore;
  accounts: {
    find(id: string): Promise<KnownAccount | undefined>;
    findByEmail(email: string): Promise<KnownAccount | undefined>;
    create(input: {
      id: string;
      email: string;
      name: string;
      picture: string | null;
      email_verified: true;
    }): Promise<KnownAccount>;
    noteSignIn(id: string, profile: { name?: string; picture?: string }): Promise<KnownAccount | undefined>;
  };
  /** With notice to the old address. @throws duplicate, conflict, invalid_input. */
  changeEmail(id: string, email: string): Promise<void>;
  newAccountId(): string;
  isEmailAddress(text: string): boolean;
  /** Mails can be sent: the owner of an address can show that it is theirs. */
  mailAvailable: boolean;
}

/** Why an identity gets no account. */
export type Refusal =
  /** The upstream gave no e-mail. */
  | 'no_email'
  /** It does not vouch for the e-mail: whoever has an account with it may be somebody else. */
  | 'unverified_email'
  /** There is an account with this e-mail, of which nobody knows whether its maker owns the e-mail. */
  | 'unproved_account'
  /** Only people who have an account may sign in. */
  | 'no_new_accounts'
  | 'suspended';

export type Resolution =
  | { kind: 'account'; account_id: string; created: boolean }
  /** The person may prove this account to join it. `by_mail_alone`: nobody knows who chose its password. */
  | { kind: 'join'; account_id: string; by_mail_alone: boolean }
  | { kind: 'refused'; reason: Refusal };

/** How a provider's identities are treated. */
export interface Policy {
  create_accounts: boolean;
  refresh: ('name' | 'picture' | 'email')[];
}

export interface Linking {
  /** The account of an identity: found, made, or to be proved. */
  resolve(identity: UpstreamIdentity, policy: Policy): Promise<Resolution>;
  /**
   * Joins the identity to an account that the person has proved just now.
   * @returns whether it is joined: the account may have changed since `resolve`, or the identity gone to another one.
   */
  join(identity: UpstreamIdentity, accountId: string): Promise<boolean>;
  /**
   * Connects an identity that was proved to the account of whoever is signed in and proved that too: their e-mails need not agree.
   * @returns whether it is connected: it may be another account's.
   */
  connect(identity: UpstreamIdentity, accountId: string): Promise<boolean>;
  /** Oldest first. */
  identitiesOf(accountId: string): Promise<Identity[]>;
}

const refused = (reason: Refusal): Resolution => ({ kind: 'refused', reason });
const account = (account_id: string, created = false): Resolution => ({ kind: 'account', account_id, created });

export function createLinking(needs: LinkingNeeds): Linking {
  const { identities, accounts, changeEmail, newAccountId, isEmailAddress, mailAvailable } = needs;

  const recordOf = ({ provider, issuer, subject, email }: UpstreamIdentity, account_id: string): Identity => {
    const now = isoNow();
    return { provider, issuer, subject, account_id, email, created_at: now, last_used_at: now };
  };

  /** Inserts the identity. @returns the one that is there: ours, or that of whoever was faster. */
  async function reserve(identity: UpstreamIdentity, accountId: string): Promise<Identity | undefined> {
    const record = recordOf(identity, accountId);
    try {
      await identities.insert(record);
      return record;
    } catch (error) {
      if (!isGatehouseError(error, 'duplicate')) throw error;
      return identities.find(identity);
    }
  }

  /** @returns whether the identity leads to this account now. */
  async function take(identity: UpstreamIdentity, accountId: string): Promise<boolean> {
    const record = await reserve(identity, accountId);
    if (record && record.account_id !== accountId && !(await accounts.find(record.account_id))) {
      // Promised to an account that never came to be.
      await identities.delete(identity, record.account_id);
      return (await reserve(identity, accountId))?.account_id === accountId;
    }
    return record?.account_id === accountId;
  }

  async function refreshEmail({ id, email }: KnownAccount, identity: UpstreamIdentity): Promise<void> {
    if (!identity.email_verified || identity.email === null || !isEmailAddress(identity.email)) return;
    if (identity.email === email) return;
    try {
      await changeEmail(id, identity.email);
    } catch (error) {
      // Somebody else has the address, or it was changed here at this moment, or differs in its case alone: the account keeps what it has.
      if (!['duplicate', 'conflict', 'invalid_input'].some((code) => isGatehouseError(error, code as never)))
        throw error;
    }
  }

  async function known(identity: UpstreamIdentity, found: KnownAccount, { refresh }: Policy): Promise<Resolution> {
    const { name, picture, email } = identity;
    const noted = await accounts.noteSignIn(found.id, {
      ...(refresh.includes('name') && name !== null ? { name } : {}),
      ...(refresh.includes('picture') && picture !== null ? { picture } : {}),
    });
    if (!noted) return refused('suspended');
    if (refresh.includes('email')) await refreshEmail(noted, identity);
    await identities.noteUse(identity, { email, last_used_at: isoNow() });
    return account(found.id);
  }

  /**
   * First the identity with the id of an account to come, then the account: what is interrupted in between is finished by the
   * next sign-in, and of many at once each makes the same account.
   */
  async function create(identity: UpstreamIdentity, email: string): Promise<Resolution> {
    const record = await reserve(identity, newAccountId());
    if (!record) return create(identity, email);
    const { account_id } = record;
    const name = identity.name ?? email.slice(0, email.lastIndexOf('@'));
    try {
      await accounts.create({ id: account_id, email, name, picture: identity.picture, email_verified: true });
    } catch (error) {
      if (!isGatehouseError(error, 'duplicate')) throw error;
      const made = await accounts.find(account_id);
      if (made) return made.state !== 'suspended' ? account(account_id) : refused('suspended');
      await identities.delete(identity, account_id);
      return existing(await accounts.findByEmail(email));
    }
    await accounts.noteSignIn(account_id, {});
    return account(account_id, true);
  }

  function existing(found: KnownAccount | undefined): Resolution {
    if (!found) return refused('unproved_account');
    if (found.state !== 'active') return refused('suspended');
    if (!found.email_verified && !mailAvailable) return refused('unproved_account');
    return { kind: 'join', account_id: found.id, by_mail_alone: !found.email_verified };
  }

  return {
    async resolve(identity, policy) {
      const record = await identities.find(identity);
      const found = record && (await accounts.find(record.account_id));
      if (found) return known(identity, found, policy);
      const { email, email_verified } = identity;
      if (email === null || !isEmailAddress(email)) return refused('no_email');
      // Before anything is looked up: who merely claims an e-mail learns nothing about it.
      if (!email_verified) return refused('unverified_email');
      const holder = await accounts.findByEmail(email);
      if (holder) return existing(holder);
      return policy.create_accounts ? create(identity, email) : refused('no_new_accounts');
    },

    async join(identity, accountId) {
      const target = await accounts.find(accountId);
      if (target?.state !== 'active' || !target.email_verified || !identity.email_verified) return false;
      if (identity.email === null || (await accounts.findByEmail(identity.email))?.id !== accountId) return false;
      return take(identity, accountId);
    },

    connect: async (identity, accountId) =>
      (await accounts.find(accountId))?.state === 'active' && take(identity, accountId),

    identitiesOf: (accountId) => identities.listByAccount(accountId),
  };
}
