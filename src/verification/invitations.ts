/**
 * Invitations: an admin asks somebody to have an account; whoever opens the link chooses how to sign in, and the account is made.
 * It makes no difference whether people may sign up by themselves. The address is the invitation's and no other.
 */
import { hash } from 'node:crypto';
import type { Account } from '../accounts/account.ts';
import { newAccountId } from '../accounts/new-account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { isEmailAddress, normalizeEmail } from '../accounts/email.ts';
import type { Invitation, InvitationStore } from '../accounts/invitation.ts';
import { NAME_MAX, normalizeName } from '../accounts/profile.ts';
import { isRole } from '../accounts/role.ts';
import { isoNow } from '../kernel/clock.ts';
import { conflict, duplicate, invalidInput, isGatehouseError, notFound } from '../kernel/errors.ts';
import { newId, newSecret } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Mailer } from '../mail/mailer.ts';

export const INVITATION_PATH = '/mailed/invitation';
const DAY = 86_400;
/** Seconds that one whose link has ended is still listed, to be sent again. */
const KEPT = 30 * DAY;
const BATCH = 200;
/** 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;

export interface NewInvitation {
  email: string;
  name?: string | undefined;
  roles?: string[] | undefined;
  groups?: string[] | undefined;
  /** BCP 47. */
  locale?: string | undefined;
  /** `mail` (unless given): the link is mailed and shown to nobody. `link`: the admin gets it, once, and passes it on. */
  by?: 'mail' | 'link' | undefined;
}

/** With the address of the link where that was not mailed. */
export interface Invited {
  invitation: Invitation;
  url?: string;
}

/** What the person chose to sign in with: a password that was checked, or nothing of that kind. */
export interface Answer {
  name: string;
  password_hash?: string | undefined;
}

export interface Invitations {
  /**
   * @throws invalid_input naming the field; duplicate where the address has an account or is invited; conflict where it is to be
   * mailed and no mail can be sent.
   */
  invite(input: NewInvitation, by: { id: string | null; locale: string }): Promise<Invited>;
  get(id: string): Promise<Invitation>;
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Invitation>>;
  /** Makes another link in the place of the one before, which works no more. @throws not_found, conflict. */
  resend(id: string, by: 'mail' | 'link', locale: string): Promise<Invited>;
  /** @throws not_found. */
  revoke(id: string): Promise<Invitation>;
  /** Consumes nothing. Undefined when the token is unknown, ended, overtaken, revoked or used. */
  find(token: string): Promise<Invitation | undefined>;
  /** What the form begins with: the name the admin gave, or what stands before the `@`. */
  nameFor(invitation: Invitation): string;
  /**
   * Makes the account; of several at once one does. Its address is verified where the link was mailed to it.
   * @returns undefined when the link is not good any more, `taken` when somebody else has the address by now. @throws invalid_input.
   */
  accept(token: string, answer: Answer): Promise<Account | 'taken' | undefined>;
  /** Removes those that ended long ago. */
  purge(): Promise<void>;
}

interface Needs {
  store: InvitationStore;
  accounts: Pick<Accounts, 'create' | 'findByEmail' | 'find' | 'setLocale'>;
  mailer: Mailer;
  audit: {
    record(type: 'invitation_accepted', accountId: string, about: { detail: Record<string, string> }): Promise<void>;
  };
  issuer: string;
  /** Seconds that a link is good for. */
  lifetime: number;
}

const hashOf = (token: string): string => hash('sha256', token, 'base64url');
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
const hasEnded = ({ expires_at }: Invitation): boolean => expires_at <= isoNow();

const isLocale = (value: string): boolean => {
  try {
    return Intl.getCanonicalLocales(value).length === 1 && value.length <= 100;
  } catch {
    return false;
  }
};

function check({ email, name, roles = [], locale }: NewInvitation): void {
  if (!isEmailAddress(email.trim())) throw invalidInput(`${email} is not an e-mail address`, 'email');
  if (name !== undefined && normalizeName(name).length > NAME_MAX)
    throw invalidInput(`name must have at most ${NAME_MAX} characters`, 'name');
  const bad = roles.find((role) => !isRole(role));
  if (bad !== undefined) throw invalidInput(`role ${bad} may only have letters, digits and . _ : -`, 'roles');
  if (locale !== undefined && !isLocale(locale))
    throw invalidInput('locale must be a language such as de or pt-BR', 'locale');
}

const life = (seconds: number) =>
  seconds % DAY === 0 ? { days: seconds / DAY } : { hours: Math.max(1, Math.round(seconds / 3600)) };

export function createInvitations({ store, accounts, mailer, audit, issuer, lifetime }: Needs): Invitations {
  function mustMail(by: 'mail' | 'link'): void {
    if (by === 'mail' && !mailer.available)
      throw conflict('no mail can be sent (mail.smtp_url is not set): ask for the link, and pass it on yourself');
  }

  /** Mails the link, or gives it to whoever asks. */
  async function deliver(invitation: Invitation, token: string, locale: string): Promise<Invited> {
    // In the query, which is never logged, and not in the path, which is.
    const url = `${issuer}${INVITATION_PATH}?token=${token}`;
    if (!invitation.mailed) return { invitation, url };
    const { email, name } = invitation;
    const data = { url, ...(name === null ? {} : { name }), ...life(lifetime) };
    await mailer.send({ to: email, template: 'invitation', locale: invitation.locale ?? locale, data });
    return { invitation };
  }

  const freshLink = (by: 'mail' | 'link') => {
    const token = newSecret();
    return {
      token,
      fields: {
        token_hash: hashOf(token),
        mailed: by === 'mail',
        sent_at: isoNow(),
        expires_at: inSeconds(lifetime),
      },
    };
  };

  async function get(id: string): Promise<Invitation> {
    const found = await store.find(id);
    if (!found) throw notFound(`there is no invitation ${id}`);
    return found;
  }

  async function find(token: string): Promise<Invitation | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const found = await store.findByToken(hashOf(token));
    if (!found || hasEnded(found)) return undefined;
    // Whoever was stopped after the account was made has left it behind.
    return (await accounts.find(found.account_id)) ? undefined : found;
  }

  /** One that has ended, or came to an account, stands in nobody's way. */
  async function makeRoom(email: string): Promise<void> {
    const before = await store.findByEmail(email);
    if (before && (hasEnded(before) || (await accounts.find(before.account_id)))) await store.remove(before.id);
  }

  return {
    get,
    find,
    list: (page) => store.list(page),
    nameFor: ({ name, email }) => name ?? email.split('@')[0]!,

    async invite(input, by) {
      check(input);
      const how = input.by ?? 'mail';
      mustMail(how);
      const email = input.email.trim();
      const email_normalized = normalizeEmail(email);
      if (await accounts.findByEmail(email)) throw duplicate(`${email} has an account already`, 'email');
      await makeRoom(email_normalized);
      const { token, fields } = freshLink(how);
      const invitation: Invitation = {
        id: newId('inv_'),
        account_id: newAccountId(),
        email,
        email_normalized,
        name: input.name === undefined || input.name.trim() === '' ? null : normalizeName(input.name),
        roles: [...new Set(input.roles)],
        ...(input.groups?.length ? { groups: [...new Set(input.groups)] } : {}),
        locale: input.locale ?? null,
        invited_by: by.id,
        created_at: fields.sent_at,
        ...fields,
      };
      await store.insert(invitation);
      return deliver(invitation, token, by.locale);
    },

    async resend(id, by, locale) {
      mustMail(by);
      const before = await get(id);
      if (await accounts.findByEmail(before.email)) throw duplicate(`${before.email} has an account already`, 'email');
      const { token, fields } = freshLink(by);
      const invitation = { ...before, ...fields };
      if (!(await store.replace(invitation, before.token_hash)))
        throw conflict('somebody else has sent or revoked it at the same moment');
      return deliver(invitation, token, locale);
    },

    async revoke(id) {
      const invitation = await get(id);
      if (!(await store.remove(id))) throw notFound(`there is no invitation ${id}`);
      return invitation;
    },

    async accept(token, { name, password_hash }) {
      const invitation = await find(token);
      if (!invitation) return undefined;
      const { id, account_id, email, roles, groups, mailed, locale } = invitation;
      try {
        const account = await accounts.create({
          id: account_id,
          email,
          name,
          roles,
          groups,
          email_verified: mailed,
          ...(password_hash === undefined ? {} : { password_hash }),
        });
        await store.remove(id);
        await audit.record('invitation_accepted', account.id, {
          detail: { invitation: id, ...(roles.length > 0 ? { roles: roles.join(' ') } : {}) },
        });
        return locale === null ? account : await accounts.setLocale(account.id, locale);
      } catch (error) {
        if (!isGatehouseError(error, 'duplicate')) throw error;
        // By the same link at the same moment, or by somebody else.
        return (await accounts.find(account_id)) ? undefined : 'taken';
      }
    },

    async purge() {
      const before = new Date(Date.now() - KEPT * 1000).toISOString();
      while ((await store.removeExpired(before, BATCH)) === BATCH);
    },
  };
}
