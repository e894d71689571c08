/**
 * Claim tables: in which shape an app learns of a person, without code. A row says which claim is made of what, when, and for which
 * tokens. What the protocol itself says in a token is none of a table's business.
 */
import { invalidInput } from '../kernel/errors.ts';

export const CLAIM_SOURCES = ['roles', 'permissions', 'groups', 'profile', 'constant'] as const;
export type ClaimSource = (typeof CLAIM_SOURCES)[number];

/** How a list is written down. `first`: its first value alone. */
export const CLAIM_SHAPES = ['list', 'spaces', 'commas', 'first'] as const;
export type ClaimShape = (typeof CLAIM_SHAPES)[number];

/** An opaque access token shows what a JWT would say by introspection. */
export const CLAIM_TARGETS = ['id_token', 'access_token', 'userinfo'] as const;
export type ClaimTarget = (typeof CLAIM_TARGETS)[number];

/** Of an account; `sub` is the one that the app knows. */
export const PROFILE_SOURCES = [
  'sub',
  'name',
  'email',
  'email_verified',
  'picture',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'phone_number',
  'phone_number_verified',
  'address',
  'updated_at',
] as const;
export type ProfileSource = (typeof PROFILE_SOURCES)[number];

export type Constant = string | number | boolean | string[];

export interface ClaimRule {
  /** Name of the claim; of one inside another, the names from the outermost on. */
  claim: string[];
  source: ClaimSource;
  /** Of `profile`. */
  field?: ProfileSource | undefined;
  /** Of `constant`. */
  value?: Constant | undefined;
  /** Of a list; `list` where it is missing. */
  shape?: ClaimShape | undefined;
  /** Of a list: only values that begin with it, and these without it. */
  prefix?: string | undefined;
  /** All that is named must be so: a scope of the token, a role or group of the person. */
  when?: { scope?: string | undefined; role?: string | undefined; group?: string | undefined } | undefined;
  into: ClaimTarget[];
}

export const MOST_RULES = 50;
const MOST_LEVELS = 5;
const NAME_MAX = 200;
const VALUE_MAX = 1000;
const MOST_VALUES = 100;
const LISTS: readonly ClaimSource[] = ['roles', 'permissions', 'groups'];

/**
 * What the protocol says, in tokens, userinfo and introspection: RFC 7519, OpenID Connect Core, RFC 7662, RFC 7800, RFC 8693, RFC 9068,
 * RFC 9396 and the log-out specifications. Apps and APIs decide by it.
 */
const OF_PROTOCOL = new Set(
  (
    'iss sub aud exp nbf iat jti azp nonce auth_time acr amr at_hash c_hash s_hash rt_hash sid events sub_jwk sub_id cnf act may_act ' +
    'scope client_id token_type active username token_introspection authorization_details htm htu ath typ txn toe trust_framework ' +
    'grant_id gty kind extra _claim_names _claim_sources email_verified phone_number_verified'
  ).split(' '),
);
/** Apps find people by these: no value but the account's own. */
const OF_PERSON: readonly string[] = ['email', 'phone_number'];
const OF_OBJECTS = ['__proto__', 'prototype', 'constructor'];
const INVISIBLE = /\p{Cc}|\p{Zl}|\p{Zp}|[\u202a-\u202e\u2066-\u2069]/u;

/** Whether a claim is the protocol's, so that no table says it. */
export const isProtected = (name: string): boolean => OF_PROTOCOL.has(name) || OF_OBJECTS.includes(name);

export const isListSource = (source: ClaimSource): boolean => LISTS.includes(source);

const shown = ({ claim }: ClaimRule): string => [claim].flat().join(' > ').slice(0, 100);

const FIELDS = ['claim', 'source', 'field', 'value', 'shape', 'prefix', 'when', 'into'];
const CONDITIONS = ['scope', 'role', 'group'];

/** Rows come from files too. */
function checkForm(rule: ClaimRule, wrong: (problem: string) => never): void {
  const { claim, prefix, when = {}, into } = rule;
  const other = Object.keys(rule).find((name) => !FIELDS.includes(name));
  if (other !== undefined) wrong(`it has no ${other}: there are ${FIELDS.join(', ')}`);
  const isText = (one: unknown) => typeof one === 'string';
  if (![claim, into].every((list: unknown) => Array.isArray(list) && list.every(isText)))
    wrong('claim and into are lists of texts');
  if (prefix !== undefined && !isText(prefix)) wrong('a prefix is a text');
  for (const [name, condition] of Object.entries(when))
    if (!CONDITIONS.includes(name) || (condition !== undefined && !isText(condition)))
      wrong(`a condition is a text under ${CONDITIONS.join(', ')}`);
}

function checkClaim(rule: ClaimRule, wrong: (problem: string) => never): void {
  const { claim, source, field } = rule;
  if (claim.length === 0 || claim.length > MOST_LEVELS) wrong(`a claim has 1 to ${MOST_LEVELS} names`);
  for (const name of claim) {
    if (
      name.trim() === '' ||
      name !== name.trim() ||
      name.length > NAME_MAX ||
      INVISIBLE.test(name) ||
      name.includes('>')
    )
      wrong(`a claim's name has 1 to ${NAME_MAX} characters, and no > in it`);
    if (OF_OBJECTS.includes(name)) wrong(`no claim can be called ${name}`);
  }
  const [outermost] = claim as [string];
  if (isProtected(outermost)) wrong(`the protocol itself says ${outermost}: no table does`);
  if (OF_PERSON.includes(outermost) && !(claim.length === 1 && source === 'profile' && field === outermost))
    wrong(`apps find people by ${outermost}: it has no other value than the account's`);
}

const isValue = (value: unknown): value is Constant =>
  (typeof value === 'string' && value.length <= VALUE_MAX) ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  typeof value === 'boolean' ||
  (Array.isArray(value) &&
    value.length <= MOST_VALUES &&
    value.every((one) => typeof one === 'string' && one.length <= VALUE_MAX));

function checkSource(rule: ClaimRule, wrong: (problem: string) => never): void {
  const { source, field, value, shape, prefix, into, when = {} } = rule;
  if (!CLAIM_SOURCES.includes(source)) wrong(`a source is one of ${CLAIM_SOURCES.join(', ')}`);
  if ((source === 'profile') !== (field !== undefined)) wrong('field goes with the source profile, and with no other');
  if (field !== undefined && !PROFILE_SOURCES.includes(field)) wrong(`a field is one of ${PROFILE_SOURCES.join(', ')}`);
  if ((source === 'constant') !== (value !== undefined))
    wrong('value goes with the source constant, and with no other');
  if (value !== undefined && !isValue(value)) wrong('a value is a text, a number, true, false or a list of texts');
  if (shape !== undefined && !CLAIM_SHAPES.includes(shape)) wrong(`a shape is one of ${CLAIM_SHAPES.join(', ')}`);
  if (!isListSource(source) && (shape !== undefined || prefix !== undefined))
    wrong('shape and prefix go with roles, permissions and groups');
  if (prefix !== undefined && (prefix === '' || prefix.length > NAME_MAX)) wrong('a prefix has 1 to 200 characters');
  if (into.length === 0 || into.some((one) => !CLAIM_TARGETS.includes(one)))
    wrong(`it goes into one or more of ${CLAIM_TARGETS.join(', ')}`);
  for (const [name, condition] of Object.entries(when))
    if (condition !== undefined && (condition === '' || condition.length > NAME_MAX || INVISIBLE.test(condition)))
      wrong(`the ${name} of its condition has 1 to ${NAME_MAX} characters`);
}

const within = (inner: string[], outer: string[]): boolean =>
  inner.length > outer.length && outer.every((name, index) => inner[index] === name);

/** Without what is not said. */
function normal({ claim, source, field, value, shape, prefix, when, into }: ClaimRule): ClaimRule {
  const conditions = Object.entries(when ?? {}).filter(([, condition]) => condition !== undefined);
  return {
    claim,
    source,
    ...(field === undefined ? {} : { field }),
    ...(value === undefined ? {} : { value }),
    ...(shape === undefined || shape === 'list' ? {} : { shape }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(conditions.length === 0 ? {} : { when: Object.fromEntries(conditions) }),
    into: CLAIM_TARGETS.filter((one) => into.includes(one)),
  };
}

/** @returns them in their normal form. @throws invalid_input naming the row, counted from 0: `rules/2`. */
export function checkRules(rules: ClaimRule[]): ClaimRule[] {
  if (rules.length > MOST_RULES) throw invalidInput(`a table has at most ${MOST_RULES} rows`, 'rules');
  rules.forEach((rule, index) => {
    const wrong = (problem: string): never => {
      throw invalidInput(`row ${index + 1} (${shown(rule)}): ${problem}`, `rules/${index}`);
    };
    checkForm(rule, wrong);
    checkClaim(rule, wrong);
    checkSource(rule, wrong);
    const other = rules.find(({ claim }) => within(rule.claim, claim));
    if (other) wrong(`${shown(other)} is a value of its own and can hold no other`);
  });
  return rules.map(normal);
}
