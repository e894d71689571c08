/** The links that prove an address: on the way to a sign-in, or for an account that has none under way. */
import type { Account } from '../accounts/account.ts';
import { readsBest } from '../accounts/profile.ts';
import { normalizeEmail } from '../accounts/email.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { AccountLinks, UsableLink } from './account-links.ts';
import type { JourneyMail } from './journey-mail.ts';
import type { JourneyMark, MailedLink, MailedLinks } from './links.ts';
import type { Planted } from './planted.ts';
import type { AddressProofs } from './proofs.ts';
import type { Recovery } from './recovery.ts';
import type { MailRequest, MailRequests, RequestPurpose } from './request.ts';

/** In seconds: a link that verifies an address some time later. */
const LATER_TTL = 86_400;

/**
 * `other_browser`: it signs in, so it works in the browser that asked for it alone, and stays good. `elsewhere`: it would confirm the
 * address of an account that was made in another browser, perhaps by somebody else: whoever reads this mail proves to be the same
 * person by the password, or takes the account over without anything that was put into it.
 */
export type Confirmation =
  /** The button will work, or it did. */
  | { outcome: 'good'; link: MailedLink; journey: JourneyMark | null; request: MailRequest | undefined }
  | { outcome: 'elsewhere'; link: MailedLink; account: Account; may_take: boolean }
  /** Unknown, expired, used, overtaken, or the account changed since. `taken`: somebody else has the address by now. */
  | { outcome: 'dead' | 'other_browser' | 'taken' };

export interface Confirmations {
  /** For the page with the button: consumes nothing. */
  look(purpose: RequestPurpose, token: string, browser: string): Promise<Confirmation>;
  /** For the button. `journey` and `request` are given where the proof helps a journey on. */
  confirm(purpose: RequestPurpose, token: string, browser: string): Promise<Confirmation>;
  /** The same for a link that was opened elsewhere, once the account's password was proved there. */
  confirmElsewhere(token: string): Promise<Confirmation>;
  /**
   * Gives the account to whoever reads its mail, with nothing left of what somebody may have planted in it.
   * @returns where they set a password; undefined when the link is not good any more.
   */
  take(token: string): Promise<string | undefined>;
  /**
   * Mails a link that verifies the account's address, with no journey waiting for it.
   * @param browser in which that was asked for, as a value that no other browser has.
   */
  mailLater(account: Account, request: { locale: string; app: string; browser: string }): Promise<void>;
}

interface Needs {
  links: MailedLinks;
  accountLinks: AccountLinks;
  requests: MailRequests;
  journeyMail: Pick<JourneyMail, 'noteProof'>;
  proofs: AddressProofs;
  planted: Planted;
  recovery: Pick<Recovery, 'linkFor'>;
  mailer: Mailer;
}

/**
 * Somebody may be talked into pressing a button; what signs in, or makes an account with a password, must not do so for who
 * talked them into it.
 */
const SIGNS_IN: RequestPurpose[] = ['sign_up', 'sign_in', 'link_account'];

const isSameAddress = ({ email }: MailedLink, { email_normalized }: Account) =>
  normalizeEmail(email) === email_normalized;

export function createConfirmations(needs: Needs): Confirmations {
  const { links, accountLinks, requests, journeyMail, proofs, planted, recovery, mailer } = needs;

  async function find(purpose: RequestPurpose, token: string): Promise<Partial<UsableLink> | undefined> {
    if (purpose !== 'sign_up') return accountLinks.find(purpose, token);
    const link = await links.find(purpose, token);
    return link && { link };
  }

  /** Whether the account may be somebody else's work than that of whoever opens the link. */
  const isStrange = ({ purpose, journey, data }: MailedLink, account: Account | undefined, browser: string) =>
    purpose === 'verify_email' &&
    account?.email_verified === false &&
    (journey?.browser ?? data['browser']) !== browser;

  async function look(purpose: RequestPurpose, token: string, browser: string): Promise<Confirmation> {
    const { link, account } = (await find(purpose, token)) ?? {};
    if (!link) return { outcome: 'dead' };
    if (account && isStrange(link, account, browser))
      return { outcome: 'elsewhere', link, account, may_take: isSameAddress(link, account) };
    if (SIGNS_IN.includes(purpose) && link.journey?.browser !== browser) return { outcome: 'other_browser' };
    return good(purpose, link);
  }

  async function good(purpose: RequestPurpose, link: MailedLink): Promise<Confirmation> {
    const waiting = link.journey ? await requests.find(link.journey.uid) : undefined;
    const request = waiting?.purpose === purpose && waiting.email === link.email ? waiting : undefined;
    // A sign-up is nowhere but in its journey, and may have been sent to another address since.
    if (purpose === 'sign_up' && !request) return { outcome: 'dead' };
    return { outcome: 'good', link, journey: request ? link.journey : null, request };
  }

  async function prove(purpose: RequestPurpose, link: MailedLink, request?: MailRequest): Promise<Account | undefined> {
    if (purpose !== 'sign_up') return proofs.forAccount(purpose, link.account_id!, link.email);
    return request?.sign_up ? proofs.signUp(request.sign_up, link.email) : undefined;
  }

  async function redeem(purpose: RequestPurpose, token: string, found: Confirmation): Promise<Confirmation> {
    if (found.outcome !== 'good') return found;
    if (!(await links.redeem(token))) return { outcome: 'dead' };
    const account = await prove(purpose, found.link, found.request);
    if (!account) return { outcome: 'taken' };
    if (found.journey && found.request) await journeyMail.noteProof(found.journey, found.request, account.id);
    return found;
  }

  return {
    look,

    async confirm(purpose, token, browser) {
      return redeem(purpose, token, await look(purpose, token, browser));
    },

    async confirmElsewhere(token) {
      const link = (await accountLinks.find('verify_email', token))?.link;
      return link ? redeem('verify_email', token, await good('verify_email', link)) : { outcome: 'dead' };
    },

    async take(token) {
      const usable = await accountLinks.find('verify_email', token);
      if (!usable || !isSameAddress(usable.link, usable.account) || !(await links.redeem(token))) return undefined;
      const claimed = await planted.claim(usable.account);
      return recovery.linkFor(claimed);
    },

    async mailLater(account, { locale, app, browser }) {
      const url = await accountLinks.issue('verify_email', { account, data: { browser }, ttl: LATER_TTL });
      const data = { url, app, name: account.name, hours: LATER_TTL / 3600 };
      await mailer.send({ to: account.email, template: 'verify-email', locale: readsBest(account, locale), data });
    },
  };
}
