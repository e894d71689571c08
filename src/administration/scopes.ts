/**
 * Administration: what admins do, whatever door they come through. This room owns the use cases that span rooms and the rules of
 * who may do what; each room keeps the rules of its own records. It knows nothing of HTTP: the admin API, the console and the
 * command line call the same functions.
 */

/** What a token for the admin API may be good for, each with what people are told of it. */
export const ADMIN_SCOPES = {
  'users:read': 'See people, their sign-in methods and what they allowed apps.',
  'users:write': 'Create, change, suspend and delete people who are not admins.',
  'admins:write': 'Make admins, and change, suspend and delete them.',
  'clients:read': 'See apps.',
  'clients:write': 'Register, change and delete apps.',
  'apis:read': 'See APIs.',
  'apis:write': 'Register, change and delete APIs.',
  'roles:read': 'See roles, groups and claim tables.',
  'roles:write': 'Create, change and delete roles and groups, and who may do what by them.',
  'claims:write': 'Say what apps learn of people beside the standard claims.',
  'tokens:preview': 'See which tokens an app would get for a person.',
  'providers:read': 'See upstream providers.',
  'providers:write': 'Add, change and remove upstream providers.',
  'settings:read': 'See settings.',
  'settings:write': 'Set what can be set while all runs: name, look, sign-up, lifetimes.',
  'sessions:read': 'See where people are signed in.',
  'sessions:write': 'Sign people out.',
  'keys:read': 'See what the signing keys do, and who fetched them.',
  'keys:write': 'Rotate signing keys, and remove them at once.',
  'audit:read': 'Read the record of what happened.',
} as const;

export type AdminScope = keyof typeof ADMIN_SCOPES;
export const ADMIN_SCOPE_NAMES = Object.keys(ADMIN_SCOPES) as AdminScope[];

export const isAdminScope = (scope: string): scope is AdminScope => scope in ADMIN_SCOPES;

/** Identifier of the admin API: the audience of the tokens it accepts. */
export const adminApiResource = (issuer: string): string => `${issuer}/admin/api`;
