/** What an admin may change of an account beside its state, e-mail and password, which have use cases of their own. */
import { invalidInput, stale } from '../kernel/errors.ts';
import type { Account, ProfileClaims } from './account.ts';
import { CONTROL, normalizeName, PROFILE_FIELDS, profileOf, profileProblems, TEXT_MAX } from './profile.ts';
import type { ProfileField } from './profile.ts';
import { checkAssignment } from './assigning.ts';

/** A field that is absent stays, one that is null goes. */
export interface AccountChange {
  name?: string | undefined;
  picture?: string | null | undefined;
  email_verified?: boolean | undefined;
  roles?: string[] | undefined;
  groups?: string[] | undefined;
  claims?: { [Name in keyof ProfileClaims]?: ProfileClaims[Name] | null | undefined } | undefined;
}

/** @throws stale where it is not the version any more that somebody has seen. */
export function mustBeVersion({ id, version: now }: Account, version: number | undefined): void {
  if (version !== undefined && now !== version) throw stale(`the account ${id} was changed meanwhile`);
}

/** All that a person may have, by name: nothing else comes into tokens unseen. */
const CLAIM_NAMES: Record<keyof Required<ProfileClaims>, true> = {
  given_name: true,
  family_name: true,
  middle_name: true,
  nickname: true,
  preferred_username: true,
  profile: true,
  website: true,
  gender: true,
  birthdate: true,
  zoneinfo: true,
  locale: true,
  phone_number: true,
  phone_number_verified: true,
  address: true,
};

const isProfileField = (name: string): name is ProfileField => (PROFILE_FIELDS as readonly string[]).includes(name);

/** Speaks against a claim that the person cannot set themselves. */
function problemOf(value: unknown): string | undefined {
  const texts = typeof value === 'object' && value !== null ? Object.values(value) : [value];
  for (const text of texts) {
    if (typeof text !== 'string') continue;
    if (text.length > TEXT_MAX) return 'long';
    if (CONTROL.test(text)) return 'invisible';
  }
  return undefined;
}

/** What is not text (OpenID Connect Core, section 5.1). */
const SHAPES: Record<string, string> = { address: 'object', phone_number_verified: 'boolean' };

function checkClaims(account: Account, claims: NonNullable<AccountChange['claims']>): void {
  const unknown = Object.keys(claims).find((name) => !Object.hasOwn(CLAIM_NAMES, name));
  if (unknown !== undefined) throw invalidInput(`${unknown} is no claim of a person`, 'claims');
  const ofProfile = Object.entries(claims).filter(([name]) => isProfileField(name));
  const values = {
    ...profileOf(account),
    ...Object.fromEntries(ofProfile.map(([name, value]) => [name, value ?? ''])),
  };
  const problems: Record<string, string | undefined> = profileProblems(values);
  for (const [name, value] of Object.entries(claims)) {
    const shape = value === null || value === undefined || typeof value === (SHAPES[name] ?? 'string');
    const problem = !shape
      ? `must be of type ${SHAPES[name] ?? 'string'}`
      : isProfileField(name)
        ? problems[name]
        : problemOf(value);
    if (problem) throw invalidInput(`${name}: ${problem}`, `claims/${name}`);
  }
}

function mergedClaims(before: ProfileClaims, change: NonNullable<AccountChange['claims']>): ProfileClaims {
  const entries = Object.entries({ ...before, ...change });
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined && value !== ''));
}

/** @returns the account with the change. @throws invalid_input naming the first field that something speaks against. */
export function edited(
  account: Account,
  { name, picture, email_verified, roles, groups, claims }: AccountChange,
): Account {
  const values = profileOf(account);
  if (name !== undefined) values.name = normalizeName(name);
  if (picture !== undefined) values.picture = picture ?? '';
  const problems = profileProblems(values);
  // What stands there already is not asked about again.
  for (const field of ['name', 'picture'] as const)
    if ((field === 'name' ? name : picture) !== undefined && problems[field])
      throw invalidInput(`${field}: ${problems[field]}`, field);
  checkAssignment({ roles, groups });
  if (claims) checkClaims(account, claims);
  return {
    ...account,
    name: values.name,
    picture: values.picture || null,
    email_verified: email_verified ?? account.email_verified,
    roles: roles === undefined ? account.roles : [...new Set(roles)],
    ...(groups === undefined ? {} : { groups: [...new Set(groups)] }),
    claims: claims ? mergedClaims(account.claims, claims) : account.claims,
  };
}
