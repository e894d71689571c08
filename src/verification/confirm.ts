/** The links that prove an address: on the way to a sign-in, or for an account that has none under way. */
import type { Account } from '../accounts/account.ts';
import { readsBest } from '../accounts/profile.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { AccountLinks } from './account-links.ts';
import type { JourneyMail } from './journey-mail.ts';
import type { JourneyMark, MailedLink, MailedLinks } from './links.ts';
import type { AddressProofs } from './proofs.ts';
import type { MailRequest, MailRequests, RequestPurpose } from './request.ts';

/** In seconds: a link that verifies an address some time later. */
const LATER_TTL = 86_400;

/** `other_browser`: it signs in, so it works in the browser that asked for it alone, and stays good. */
export type Confirmation =
  /** The button will work, or it did. */
  | { outcome: 'good'; link: MailedLink; journey: JourneyMark | null; request: MailRequest | undefined }
  /** Unknown, expired, used, overtaken, or the account changed since. `taken`: somebody else has the address by now. */
  | { outcome: 'dead' | 'other_browser' | 'taken' };

export interface Confirmations {
  /** For the page with the button: consumes nothing. */
  look(purpose: RequestPurpose, token: string, browser: string): Promise<Confirmation>;
  /** For the button. `journey` and `request` are given where the proof helps a journey on. */
  confirm(purpose: RequestPurpose, token: string, browser: string): Promise<Confirmation>;
  /** Mails a link that verifies the account's address, with no journey waiting for it. */
  mailLater(account: Account, locale: string, app: string): Promise<void>;
}

interface Needs {
  links: MailedLinks;
  accountLinks: AccountLinks;
  requests: MailRequests;
  journeyMail: Pick<JourneyMail, 'noteProof'>;
  proofs: AddressProofs;
  mailer: Mailer;
}

/**
 * Somebody may be talked into pressing a button; what signs in, or makes an account with a password, must not do so for who
 * talked them into it.
 */
const SIGNS_IN: RequestPurpose[] = ['sign_up', 'sign_in', 'link_account'];

export function createConfirmations(needs: Needs): Confirmations {
  const { links, accountLinks, requests, journeyMail, proofs, mailer } = needs;

  async function find(purpose: RequestPurpose, token: string): Promise<MailedLink | undefined> {
    return purpose === 'sign_up' ? links.find(purpose, token) : (await accountLinks.find(purpose, token))?.link;
  }

  async function look(purpose: RequestPurpose, token: string, browser: string): Promise<Confirmation> {
    const link = await find(purpose, token);
    if (!link) return { outcome: 'dead' };
    if (SIGNS_IN.includes(purpose) && link.journey?.browser !== browser) return { outcome: 'other_browser' };
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

  return {
    look,

    async confirm(purpose, token, browser) {
      const found = await look(purpose, token, browser);
      if (found.outcome !== 'good') return found;
      if (!(await links.redeem(token))) return { outcome: 'dead' };
      const account = await prove(purpose, found.link, found.request);
      if (!account) return { outcome: 'taken' };
      if (found.journey && found.request) await journeyMail.noteProof(found.journey, found.request, account.id);
      return found;
    },

    async mailLater(account, locale, app) {
      const url = await accountLinks.issue('verify_email', { account, ttl: LATER_TTL });
      const data = { url, app, name: account.name, hours: LATER_TTL / 3600 };
      await mailer.send({ to: account.email, template: 'verify-email', locale: readsBest(account, locale), data });
    },
  };
}
