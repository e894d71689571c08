/** A person as files of people hold them: one flat object, the claims by their standard names (OpenID Connect Core, section 5.1). */
import { z } from 'zod';
import { isoNow } from '../../kernel/clock.ts';
import { GatehouseError, invalidInput } from '../../kernel/errors.ts';
import type { Account } from '../account.ts';
import { newAccountId } from '../new-account.ts';
import { isEmailAddress, normalizeEmail } from '../email.ts';
import { hashProblem } from '../foreign-hashes.ts';
import { NAME_MAX, PROFILE_FIELDS, normalizeName, profileProblems } from '../profile.ts';
import type { ProfileProblem, ProfileValues } from '../profile.ts';
import { isGroup, isRole } from '../role.ts';

const text = z.string().max(1000);
const MOST_GROUPS = 200;
const instant = z.iso.datetime({ offset: true, error: 'is no date and time such as 2026-01-31T12:00:00Z' });

/** An API tells a person from a program by `sub` (RFC 9700, section 4.15). */
const OF_CLIENTS = /^(?:app_|api_|gatehouse-)/;

const schema = z.strictObject({
  /** At most 255 ASCII characters (OpenID Connect Core, section 2), without `@`, by which e-mails are told from ids. */
  sub: z
    .string()
    .regex(/^[!-?A-~]{1,255}$/, 'must be 1 to 255 visible ASCII characters without @')
    .refine((sub) => !OF_CLIENTS.test(sub), 'must not begin as the ids of apps and APIs do')
    .optional(),
  email: z.string({ error: 'is missing' }).refine((value) => isEmailAddress(value.trim()), 'is not an e-mail address'),
  email_verified: z.boolean().optional(),
  name: text.optional(),
  given_name: text.optional(),
  family_name: text.optional(),
  middle_name: text.optional(),
  nickname: text.optional(),
  preferred_username: text.optional(),
  profile: text.optional(),
  picture: text.optional(),
  website: text.optional(),
  gender: text.optional(),
  birthdate: text.optional(),
  zoneinfo: text.optional(),
  locale: text.optional(),
  phone_number: z.string().max(64).optional(),
  phone_number_verified: z.boolean().optional(),
  address: z
    .strictObject({
      formatted: text.optional(),
      street_address: text.optional(),
      locality: text.optional(),
      region: text.optional(),
      postal_code: text.optional(),
      country: text.optional(),
    })
    .optional(),
  roles: z.array(z.string().refine(isRole, 'has a role that may only have letters, digits and . _ : -')).optional(),
  groups: z
    .array(z.string().refine(isGroup, 'has a group that may only have letters, digits and . _ : -'))
    .max(MOST_GROUPS)
    .optional(),
  state: z.enum(['active', 'suspended'], 'must be active or suspended').optional(),
  password_hash: z.string().optional(),
  created_at: instant.optional(),
  last_sign_in_at: instant.optional(),
});

export type PersonRow = z.infer<typeof schema>;

/** All fields, in the order in which files have them. */
export const ROW_FIELDS = Object.keys(schema.shape) as (keyof PersonRow)[];
export const ADDRESS_FIELDS = Object.keys(schema.shape.address.unwrap().shape);

const PROFILE_TEXT: Record<ProfileProblem, string> = {
  missing: 'is missing',
  long: 'is too long',
  url: 'is no web address',
  https: 'is no https address',
  date: 'is no date such as 1990-12-31',
  zone: 'is no time zone such as Europe/Berlin',
  locale: 'is no language such as de-AT',
  invisible: 'has characters that nobody can see',
};

/** By what a person without a name is called. */
function nameOf(name: string | undefined, { given_name, family_name, preferred_username, email }: PersonRow): string {
  const given = [given_name, family_name].filter(Boolean).join(' ');
  return normalizeName(name ?? '') || normalizeName(given) || preferred_username || email.trim().split('@')[0]!;
}

function checkProfile(row: PersonRow, name: string): void {
  const values = Object.fromEntries(PROFILE_FIELDS.map((field) => [field, row[field] ?? ''])) as ProfileValues;
  const [problem] = Object.entries(profileProblems({ ...values, name }));
  if (problem) throw invalidInput(`${problem[0]} ${PROFILE_TEXT[problem[1]]}`, problem[0]);
}

function parse(row: unknown): PersonRow {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') throw invalidInput(`${issue.keys[0]} is no field of a person`, issue.keys[0]);
  const field = issue.path.join('.');
  throw invalidInput(field === '' ? 'is no object' : `${field} ${issue.message}`, field);
}

/**
 * The account that a row tells of. What it leaves out begins as for any new account, its e-mail unverified.
 * @throws invalid_input naming the first field that something speaks against, in words without its value.
 */
export function accountOf(input: unknown): Account {
  const row = parse(input);
  const { sub, email, email_verified, roles, groups, state, password_hash, created_at, last_sign_in_at, ...profile } =
    row;
  const { name: written, picture, ...claims } = profile;
  const name = nameOf(written, row).slice(0, NAME_MAX + 1);
  checkProfile(row, name);
  const problem = password_hash === undefined ? undefined : hashProblem(password_hash);
  if (problem !== undefined) throw invalidInput(`password_hash ${problem}`, 'password_hash');
  const now = isoNow();
  return {
    id: sub ?? newAccountId(),
    email: email.trim(),
    email_normalized: normalizeEmail(email),
    email_verified: email_verified ?? false,
    name,
    picture: picture || null,
    claims: claims as Account['claims'],
    roles: [...new Set(roles)],
    ...(groups?.length ? { groups: [...new Set(groups)] } : {}),
    state: state ?? 'active',
    password_hash: password_hash ?? null,
    created_at: created_at === undefined ? now : new Date(created_at).toISOString(),
    updated_at: now,
    last_sign_in_at: last_sign_in_at === undefined ? null : new Date(last_sign_in_at).toISOString(),
    version: 1,
  };
}

/** What a file says of an account; the hash of its password only where it is asked for. Who is leaving is suspended there. */
export function rowOf(account: Account, { withPasswordHash }: { withPasswordHash: boolean }): PersonRow {
  const {
    id,
    email,
    email_verified,
    name,
    picture,
    claims,
    roles,
    groups = [],
    state,
    created_at,
    last_sign_in_at,
  } = account;
  return {
    sub: id,
    email,
    email_verified,
    name,
    ...claims,
    ...(picture === null ? {} : { picture }),
    roles,
    ...(groups.length > 0 ? { groups } : {}),
    state: state === 'active' ? 'active' : 'suspended',
    ...(withPasswordHash && account.password_hash !== null ? { password_hash: account.password_hash } : {}),
    created_at,
    ...(last_sign_in_at === null ? {} : { last_sign_in_at }),
  };
}

/** Why a row is bad, without its values. Whatever is no fault of the row is thrown on. */
export function faultOf(error: unknown): string {
  if (error instanceof GatehouseError && error.code === 'invalid_input') return error.message;
  throw error;
}
