import type { Page, PageRequest } from '../kernel/paging.ts';

/** Somebody was asked to have an account, and has not answered yet. Once they do it is gone, and their account is there. */
export interface Invitation {
  id: string;
  /** Id of the account that comes of it: promised, so that of two answers at once one makes it. */
  account_id: string;
  email: string;
  /** What makes two addresses the same: one invitation each. */
  email_normalized: string;
  name: string | null;
  roles: string[];
  /** Names of groups; missing in older records. */
  groups?: string[];
  /** Of the mail and of the account (BCP 47); null where nobody said. */
  locale: string | null;
  /** Of the one link that works, by which it is found. */
  token_hash: string;
  /** The link went to the address, and nowhere else: whoever has it reads that mail. */
  mailed: boolean;
  /** Account id of the admin, or id of the client; null on the command line. */
  invited_by: string | null;
  /** ISO 8601. */
  created_at: string;
  /** When the link was last made. ISO 8601. */
  sent_at: string;
  /** When that link ends. ISO 8601. */
  expires_at: string;
}

/** Where invitations are kept. Every write survives power loss. */
export interface InvitationStore {
  /** @throws duplicate (field `email`) where the address is invited already: of callers at once, one wins. */
  insert(invitation: Invitation): Promise<void>;
  find(id: string): Promise<Invitation | undefined>;
  findByToken(tokenHash: string): Promise<Invitation | undefined>;
  findByEmail(emailNormalized: string): Promise<Invitation | undefined>;
  /** Puts it in the place of the one that has the token `seen`. @returns whether that was still there: of several at once one wins. */
  replace(invitation: Invitation, seen: string): Promise<boolean>;
  /** @returns whether there was one: of several at once one gets true. */
  remove(id: string): Promise<boolean>;
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Invitation>>;
  /** Removes those that ended before a time (ISO 8601), at most `limit`. @returns how many. */
  removeExpired(before: string, limit: number): Promise<number>;
}

/** What may be told of it to an admin: all but what the link is recognised by. */
export function publicInvitation({ id, account_id, email, name, roles, groups = [], locale, ...rest }: Invitation) {
  const { mailed, invited_by, created_at, sent_at, expires_at } = rest;
  const expired = expires_at <= new Date().toISOString();
  return {
    id,
    sub: account_id,
    email,
    name,
    roles,
    groups,
    locale,
    mailed,
    invited_by,
    created_at,
    sent_at,
    expires_at,
    expired,
  };
}
