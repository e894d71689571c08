/**
 * Accounts: the people who sign in. This room owns the account record, e-mail addresses, the password policy and hashing.
 * It knows nothing of HTTP, of clients or of tokens.
 */

import { mark, wordsIn } from '../kernel/search.ts';

/** Standard claims of OpenID Connect Core, section 5.1, that a person may have beside name, e-mail and picture. */
export interface ProfileClaims {
  given_name?: string;
  family_name?: string;
  middle_name?: string;
  nickname?: string;
  preferred_username?: string;
  profile?: string;
  website?: string;
  gender?: string;
  birthdate?: string;
  zoneinfo?: string;
  locale?: string;
  phone_number?: string;
  phone_number_verified?: boolean;
  address?: Record<string, string>;
}

export interface Account {
  /** Opaque and stable: the `sub` of every token. */
  id: string;
  /** As the person wrote it. */
  email: string;
  /** What makes two addresses the same: unique in the store. */
  email_normalized: string;
  /** True only after proof. */
  email_verified: boolean;
  name: string;
  picture: string | null;
  claims: ProfileClaims;
  roles: string[];
  /** Names of groups they are in; missing in older records. */
  groups?: string[];
  /** `deleting`: its person asked for that; until `erase_at` they may keep it by signing in. */
  state: 'active' | 'suspended' | 'deleting';
  /** When all of it is erased (ISO 8601), where that is decided. */
  erase_at?: string | null;
  /** argon2id in PHC form, its parameters included; null where the person has no password. */
  password_hash: string | null;
  /** Whoever signs in with the password chooses another one before they go on; missing in older records. */
  must_change_password?: boolean;
  created_at: string;
  updated_at: string;
  last_sign_in_at: string | null;
  /** Counts changes; an update names the version it saw. */
  version: number;
}

/** What an account is found by: its name, address and id, and as marks its roles, its groups and any state but `active`. */
export const wordsOfAccount = ({ id, name, email, email_normalized, roles, groups = [], state }: Account): string[] =>
  wordsIn(
    [name, email, email_normalized, id],
    [
      ...(state === 'active' ? [] : [mark('state', state)]),
      ...roles.map((role) => mark('role', role)),
      ...groups.map((group) => mark('group', group)),
    ],
  );

/** What may be told of an account to an admin: all but the password hash. */
export function publicAccount({ id, password_hash, groups = [], must_change_password = false, ...rest }: Account) {
  return { sub: id, ...rest, groups, has_password: password_hash !== null, must_change_password };
}

/** One or two letters that stand for a person where there is no picture. */
export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => [...word][0]!.toUpperCase())
    .join('');
