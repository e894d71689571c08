/** What a person may say of themselves (OpenID Connect Core, section 5.1), and what speaks against it. */
import type { Account, ProfileClaims } from './account.ts';

export const NAME_MAX = 200;
export const TEXT_MAX = 200;
const URL_MAX = 1000;

/** What a person edits themselves. `preferred_username` is not among it: apps take it for a name that is given, not chosen. */
export const PROFILE_TEXTS = ['given_name', 'family_name', 'nickname', 'gender'] as const;
export const PROFILE_URLS = ['profile', 'website'] as const;
const CLAIMS = [...PROFILE_TEXTS, ...PROFILE_URLS, 'birthdate', 'zoneinfo', 'locale'] as const;
export const PROFILE_FIELDS = ['name', 'picture', ...CLAIMS] as const;

export type ProfileField = (typeof PROFILE_FIELDS)[number];
export type ProfileValues = Record<ProfileField, string>;
export type ProfileProblem = 'missing' | 'long' | 'url' | 'https' | 'date' | 'zone' | 'locale' | 'invisible';

/** One person, one spelling of a name: composed (NFC), without space around it. */
export const normalizeName = (name: string): string => name.normalize('NFC').trim();

export const CONTROL = /\p{Cc}|\p{Zl}|\p{Zp}/u;

function urlProblem(value: string, schemes: string[]): ProfileProblem | undefined {
  if (value.length > URL_MAX) return 'long';
  const url = URL.parse(value);
  if (!url || url.username !== '' || url.password !== '') return 'url';
  return schemes.includes(url.protocol) ? undefined : schemes.length === 1 ? 'https' : 'url';
}

/** A date, or by section 5.1 a year alone, or with year 0000 a day that keeps its year to itself. */
function isBirthdate(value: string): boolean {
  if (/^\d{4}$/.test(value)) return true;
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const date = new Date(`${value.startsWith('0000') ? `2000${value.slice(4)}` : value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(5, 10) === value.slice(5);
}

const works = (test: () => unknown): boolean => {
  try {
    return Boolean(test());
  } catch {
    return false;
  }
};

function problemOf(field: ProfileField, value: string): ProfileProblem | undefined {
  if (field === 'name' && value === '') return 'missing';
  if (value === '') return undefined;
  if (CONTROL.test(value)) return 'invisible';
  switch (field) {
    case 'picture':
      return urlProblem(value, ['https:']);
    case 'profile':
    case 'website':
      return urlProblem(value, ['https:', 'http:']);
    case 'birthdate':
      return isBirthdate(value) ? undefined : 'date';
    case 'zoneinfo':
      return works(() => new Intl.DateTimeFormat('en', { timeZone: value })) ? undefined : 'zone';
    case 'locale':
      return works(() => Intl.getCanonicalLocales(value)[0]) ? undefined : 'locale';
    default:
      return value.length > (field === 'name' ? NAME_MAX : TEXT_MAX) ? 'long' : undefined;
  }
}

/** The language of whoever has said none: the one that is set for all. */
export const ANY_LANGUAGE = '';

/** What to write to a person in: the language of their profile, else the one they were just shown. Tags with spaces between. */
export const readsBest = ({ claims }: Pick<Account, 'claims'>, shown: string): string =>
  claims.locale === undefined ? shown : `${claims.locale} ${shown}`;

/** What speaks against these values, by field. */
export function profileProblems(values: ProfileValues): Partial<Record<ProfileField, ProfileProblem>> {
  const found = PROFILE_FIELDS.map((field) => [field, problemOf(field, values[field])] as const);
  return Object.fromEntries(found.filter(([, problem]) => problem !== undefined));
}

/** The profile of an account, an empty text for what is not there. */
export function profileOf({ name, picture, claims }: Account): ProfileValues {
  const texts = CLAIMS.map((claim) => [claim, claims[claim] ?? '']);
  return { name, picture: picture ?? '', ...Object.fromEntries(texts) } as ProfileValues;
}

/** The account with these values; what is empty goes. */
export function withProfile(account: Account, values: ProfileValues): Account {
  const claims: ProfileClaims = { ...account.claims };
  for (const claim of CLAIMS) {
    if (values[claim] === '') delete claims[claim];
    else claims[claim] = values[claim];
  }
  return { ...account, name: values.name, picture: values.picture || null, claims };
}
