/**
 * Another address for an account: confirmed at the new one, told to the old one with a link that undoes it for 72 hours. Only
 * a proved address gets that link: one that never was may be a stranger's.
 */
import type { Account } from '../accounts/account.ts';
import { isClosed } from '../accounts/leaving.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { isEmailAddress, normalizeEmail } from '../accounts/email.ts';
import { readsBest } from '../accounts/profile.ts';
import { invalidInput, isGatehouseError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { AccountLinks, UsableLink } from './account-links.ts';
import type { EmailHistory } from './email-history.ts';
import type { MailedLink, MailedLinks } from './links.ts';
import type { Planted } from './planted.ts';
import type { Recovery } from './recovery.ts';

/** In seconds. */
export const CHANGE_TTL = 86_400;
export const UNDO_TTL = 72 * 3600;

export interface EmailChanges {
  /**
   * Mails a link to the new address; nothing changes before it is confirmed. Where somebody else has that address the asker is
   * told the same, and they are told by mail. @throws invalid_input when it is no address, or the one the account has.
   */
  request(account: Account, newEmail: string, locale: string): Promise<void>;
  /** The change a link would make; consumes nothing. */
  find(token: string): Promise<UsableLink | undefined>;
  /** @returns the account as it is then, `taken` when somebody else has the address by now, undefined when the link is dead. */
  confirm(token: string, locale: string): Promise<Account | 'taken' | undefined>;
  /** Without asking at the new address: for admins who know. The old one is told all the same. @throws duplicate. */
  change(account: Account, newEmail: string, locale: string): Promise<Account>;
  /** What an undoing would restore; consumes nothing. */
  findUndo(token: string): Promise<{ link: MailedLink; account: Account } | undefined>;
  /**
   * Restores the old address, takes the password away, ends everything that acts in the account's name, and mails a link to set
   * a new password. @returns undefined when the link is dead.
   */
  undo(token: string, locale: string): Promise<Account | undefined>;
}

interface Needs {
  accounts: Accounts;
  accountLinks: AccountLinks;
  links: MailedLinks;
  history: EmailHistory;
  mailer: Mailer;
  planted: Planted;
  recovery: Pick<Recovery, 'mailLink' | 'linkFor'>;
}

export function createEmailChanges(needs: Needs): EmailChanges {
  const { accounts, accountLinks, links, history, mailer, planted, recovery } = needs;

  function checked(account: Account, newEmail: string): string {
    const email = newEmail.trim();
    if (!isEmailAddress(email)) throw invalidInput(`${email} is not an e-mail address`, 'email');
    if (normalizeEmail(email) === account.email_normalized)
      throw invalidInput('that is the address the account has', 'email');
    return email;
  }

  /** Before the change, so that it cannot happen untold: a notice too many does no harm. */
  async function tellOldAddress(account: Account, to: string, locale: string): Promise<void> {
    if (!account.email_verified || !mailer.available) return;
    const change = { id: newId(), from: account.email };
    await history.add(account, change);
    const url = await links.issue({
      purpose: 'undo_email_change',
      subject: change.id,
      email: account.email,
      account_id: account.id,
      state: null,
      journey: null,
      data: { change: change.id },
      ttl: UNDO_TTL,
    });
    await mailer.send({
      to: account.email,
      template: 'change-email-notice',
      locale: readsBest(account, locale),
      data: { url, address: to, name: account.name, hours: UNDO_TTL / 3600 },
    });
  }

  async function change(account: Account, to: string, locale: string): Promise<Account> {
    await tellOldAddress(account, to, locale);
    const update = { from: account.email_normalized, to };
    const changed = await accounts.changeEmail(account.id, update, { verified: true, keepPassword: true });
    await accountLinks.end('change_email', account.id);
    return changed;
  }

  async function findUndo(token: string) {
    const link = await links.find('undo_email_change', token);
    const account = link?.account_id ? await accounts.find(link.account_id) : undefined;
    if (!link || !account || !(await history.has(account.id, link.data['change']!))) return undefined;
    return { link, account };
  }

  /** Upstream logins go too: whoever changed the address may have added one. */
  const empty = (account: Account) => planted.clear({ ...account, email_verified: false });

  /** The password goes with the address: whoever changed the one may have set the other. */
  async function restore(id: string, email: string): Promise<Account> {
    const { email_normalized: from } = await accounts.get(id);
    try {
      return await accounts.changeEmail(id, { from, to: email }, { verified: true, keepPassword: false });
    } catch (error) {
      // Changed once more at this very moment: the old address still wins.
      if (!isGatehouseError(error, 'conflict')) throw error;
      return restore(id, email);
    }
  }

  return {
    async request(account, newEmail, locale) {
      const email = checked(account, newEmail);
      const holder = await accounts.findByEmail(email);
      if (holder) {
        const url = await recovery.linkFor(holder);
        return mailer.send({
          to: holder.email,
          template: 'sign-up-existing',
          locale: readsBest(holder, locale),
          data: { url },
        });
      }
      const url = await accountLinks.issue('change_email', { account, email, ttl: CHANGE_TTL });
      const data = { url, address: email, name: account.name, hours: CHANGE_TTL / 3600 };
      await mailer.send({ to: email, template: 'change-email-confirm', locale: readsBest(account, locale), data });
    },

    find: (token) => accountLinks.find('change_email', token),

    async confirm(token, locale) {
      const usable = await accountLinks.find('change_email', token);
      if (!usable) return undefined;
      if (!(await accounts.isFree(usable.link.email, usable.account.id))) return 'taken';
      if (!(await accountLinks.take('change_email', token))) return undefined;
      try {
        return await change(usable.account, usable.link.email, locale);
      } catch (error) {
        if (isGatehouseError(error, 'duplicate')) return 'taken';
        if (isGatehouseError(error, 'conflict')) return undefined;
        throw error;
      }
    },

    change: (account, newEmail, locale) => change(account, checked(account, newEmail), locale),

    findUndo,

    async undo(token, locale) {
      const found = await findUndo(token);
      if (!found || !(await links.redeem(token))) return undefined;
      const { link, account } = found;
      // Whoever held an address in between must not undo the undoing.
      await history.cutFrom(account.id, link.data['change']!);
      await empty(account);
      const restored = await restore(account.id, link.email);
      await empty(account);
      if (!isClosed(restored)) await recovery.mailLink(restored, locale);
      return restored;
    },
  };
}
