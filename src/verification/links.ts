/**
 * Verification: what a person proves by reading their mail. This room owns mailed links and codes, and what follows from them: a
 * sign-up with a proved address, recovery, sign-in by mail, changes of address and their undoing. Pages and routes it leaves to
 * `interaction/`, sending to `mail/`.
 */
import { newId, newSecret } from '../kernel/ids.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

/** What one link is good for, and the last part of its address. */
export const LINK_PURPOSES = {
  sign_up: 'confirm-sign-up',
  verify_email: 'verify-email',
  reset_password: 'reset-password',
  sign_in: 'sign-in',
  link_account: 'link-account',
  change_email: 'change-email',
  undo_email_change: 'undo-email-change',
} as const;
export type LinkPurpose = keyof typeof LINK_PURPOSES;

/** The sign-in on whose way a link was asked for. */
export interface JourneyMark {
  /** Of the interaction. */
  uid: string;
  /** When the interaction ends, in epoch seconds. */
  exp: number;
  /** The browser it runs in, as a value that no other browser has. */
  browser: string;
}

export interface MailedLink {
  purpose: LinkPurpose;
  /** What it is about: the id of an account, an interaction or a change. A newer link of the purpose about the same ends this one. */
  subject: string;
  /** The address it was mailed to. */
  email: string;
  account_id: string | null;
  /** What must still be so when it is used: see `accountState`. */
  state: string | null;
  journey: JourneyMark | null;
  /** What else the purpose needs. */
  data: Record<string, string>;
  /** Its life in seconds. */
  ttl: number;
}

export interface MailedLinks {
  /** @returns the address to mail, below the issuer's. */
  issue(link: MailedLink): Promise<string>;
  /** What a token is good for; consumes nothing. Undefined when it is unknown, expired, used, overtaken or of another purpose. */
  find(purpose: LinkPurpose, token: string): Promise<MailedLink | undefined>;
  /** Uses a token up. Of callers at once exactly one gets true. */
  redeem(token: string): Promise<boolean>;
  /** Ends the link of the purpose about the subject, if there is one. */
  end(purpose: LinkPurpose, subject: string): Promise<void>;
}

const KIND = 'MailedLink';
const NEWEST = 'NewestMailedLink';
/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;

export const linkPath = (purpose: LinkPurpose): string => `/mailed/${LINK_PURPOSES[purpose]}`;

/** @param issuer the public address from the configuration: no request has a say in where a link leads. */
export function createMailedLinks({ records, issuer }: { records: SealedRecords; issuer: string }): MailedLinks {
  const slot = ({ purpose, subject }: Pick<MailedLink, 'purpose' | 'subject'>) => `${purpose}:${subject}`;

  return {
    async issue(link) {
      const token = newSecret();
      const serial = newId();
      await records.upsert(KIND, token, { link, serial }, link.ttl);
      await records.upsert(NEWEST, slot(link), { serial }, link.ttl);
      // In the query, which is never logged, and not in the path, which is.
      return `${issuer}${linkPath(link.purpose)}?token=${token}`;
    },
    async find(purpose, token) {
      if (!TOKEN.test(token)) return undefined;
      const found = await records.find(KIND, token);
      const link = found?.['link'] as MailedLink | undefined;
      if (!found || !link || link.purpose !== purpose || found.consumed !== undefined) return undefined;
      const newest = await records.find(NEWEST, slot(link));
      return newest?.['serial'] === found['serial'] ? link : undefined;
    },
    redeem: (token) => records.consume(KIND, token),
    end: (purpose, subject) => records.destroy(NEWEST, slot({ purpose, subject })),
  };
}
