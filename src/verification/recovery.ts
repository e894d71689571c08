/** A new password for whoever reads the mail of an account's address. */
import type { Account } from '../accounts/account.ts';
import { isClosed } from '../accounts/leaving.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { normalizeEmail } from '../accounts/email.ts';
import { readsBest } from '../accounts/profile.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { AccountLinks, UsableLink } from './account-links.ts';
import type { JourneyMark } from './links.ts';
import type { Notices } from './notices.ts';
import type { Planted } from './planted.ts';
import type { MailRequest, MailRequests } from './request.ts';

/** In seconds. */
export const RESET_TTL = 3600;
const DAY = 86_400;

export interface Recovery {
  /** Mails a link, or to an address without a usable account, once a day, that there is none. Both do the same work. */
  request(request: { email: string; locale: string; journey?: JourneyMark | null }): Promise<void>;
  /** Mails a link to the account's own address. */
  mailLink(account: Account, locale: string, journey?: JourneyMark | null): Promise<void>;
  /** The same as an address to mail. */
  linkFor(account: Account, journey?: JourneyMark | null): Promise<string>;
  /** Whose password a link may set; consumes nothing. */
  find(token: string): Promise<UsableLink | undefined>;
  /**
   * Sets the password, proves the address, ends everything that acts in the account's name, and tells the person by mail. In the
   * browser that asked for the link its sign-in may go on. @returns undefined when the link is not good any more. @throws invalid_input for the password and busy, before the link is used up.
   */
  reset(token: string, password: string, from: { locale: string; browser: string }): Promise<UsableLink | undefined>;
}

interface Needs {
  accounts: Accounts;
  links: AccountLinks;
  mailer: Mailer;
  planted: Planted;
  notices: Pick<Notices, 'passwordChanged'>;
  requests: Pick<MailRequests, 'put'>;
}

/** For the journey that goes on: the mailed link that set the password signs in too. */
const provedRequest = ({ id, email }: Account, locale: string): MailRequest => ({
  purpose: 'sign_in',
  email,
  locale,
  app: '',
  account_id: id,
  sign_up: null,
  provider: null,
  mails: 0,
  proved: { account_id: id, method: 'mailed_link', at: epochSeconds() },
});

export function createRecovery({ accounts, links, mailer, planted, notices, requests }: Needs): Recovery {
  const linkFor = (account: Account, journey: JourneyMark | null = null) =>
    links.issue('reset_password', { account, journey, ttl: RESET_TTL });

  async function mailLink(account: Account, locale: string, journey: JourneyMark | null = null): Promise<void> {
    const url = await linkFor(account, journey);
    await mailer.send({
      to: account.email,
      template: 'reset-password',
      locale: readsBest(account, locale),
      data: { url, name: account.name, minutes: RESET_TTL / 60 },
    });
  }

  async function tellNobody(email: string, locale: string): Promise<void> {
    await links.issueDecoy('reset_password', normalizeEmail(email), RESET_TTL);
    const key = `no-account:${normalizeEmail(email)}:${Math.floor(epochSeconds() / DAY)}`;
    await mailer.send({ to: email, template: 'no-account', locale, data: {}, key });
  }

  return {
    linkFor,
    mailLink,
    async request({ email, locale, journey = null }) {
      const account = await accounts.findByEmail(email);
      if (account && !isClosed(account)) await mailLink(account, locale, journey);
      else await tellNobody(email, locale);
    },
    find: (token) => links.find('reset_password', token),
    async reset(token, password, { locale, browser }) {
      const before = await links.find('reset_password', token);
      if (!before) return undefined;
      await accounts.checkPassword(password, before.account.email);
      const password_hash = await accounts.hashPassword(password);
      const taken = await links.take('reset_password', token);
      if (!taken) return undefined;
      // What acts in their name ends first, in case we are stopped in between; and again, for what came in between.
      await planted.clear(taken.account);
      const account = await accounts.resetPassword(taken.account.id, password_hash, taken.account.email);
      await planted.clear(taken.account);
      await notices.passwordChanged(account, locale);
      const { journey } = taken.link;
      // In any other browser it would sign in whoever asked for the link.
      const here = journey?.browser === browser ? journey : null;
      if (here) await requests.put(here, provedRequest(account, locale));
      return { link: { ...taken.link, journey: here }, account };
    },
  };
}
