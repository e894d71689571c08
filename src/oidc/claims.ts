/** What each scope reveals (OpenID Connect Core, section 5.4), and an account as claims. */
import type { Account } from '../accounts/account.ts';
import type { Authority } from '../roles/authority.ts';

export const CLAIMS_BY_SCOPE: Record<string, string[]> = {
  // How and when the person signed in belongs to every ID token; userinfo, where no account claim matches, leaves it out.
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  roles: ['roles'],
  permissions: ['permissions'],
  groups: ['groups'],
};

/** Scopes this provider itself defines; all others belong to an API. */
export const STANDARD_SCOPES = [...Object.keys(CLAIMS_BY_SCOPE), 'offline_access'];

/** Standard scopes that an access token for an API may carry, so that it works at userinfo too. */
export const API_STANDARD_SCOPES = Object.keys(CLAIMS_BY_SCOPE);

/** Every claim of an account; who sees which is decided by scope. */
export function accountClaims(
  account: Account,
  { roles, groups, permissions }: Authority,
): Record<string, unknown> & { sub: string } {
  return {
    sub: account.id,
    name: account.name,
    ...(account.picture === null ? {} : { picture: account.picture }),
    ...account.claims,
    email: account.email,
    email_verified: account.email_verified,
    roles,
    groups,
    permissions,
    updated_at: Math.floor(Date.parse(account.updated_at) / 1000),
  };
}

const IN_ACCESS_TOKENS = ['email', 'roles', 'permissions', 'groups'];

/** Those of an account's claims that an access token carries beside the standard ones, where their scope was granted. */
export function accessTokenClaims(claims: Record<string, unknown>, scopes: Set<string>): Record<string, unknown> {
  const names = IN_ACCESS_TOKENS.filter((scope) => scopes.has(scope)).flatMap((scope) => CLAIMS_BY_SCOPE[scope] ?? []);
  return Object.fromEntries(names.map((name) => [name, claims[name]]));
}
