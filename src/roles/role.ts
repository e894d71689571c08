/**
 * Roles: what people may do, in words of the apps. A role carries permissions; a group of people carries roles; a claim table says in
 * which shape an app learns of them. This room owns those records, what follows from them for a person, and the copy of them that each
 * process works with. Who has which role or is in which group stands in the account.
 */
import { invalidInput } from '../kernel/errors.ts';
import type { ClaimRule } from './claim-rules.ts';

interface Named {
  id: string;
  /** By which everything else knows it; unique among its kind. */
  name: string;
  description: string;
  /** What it was called before, until everything that says so was changed. */
  former_names: string[];
  /** It is being removed: nobody changes it any more, and it goes once it was taken from everybody. */
  going?: true;
  created_at: string;
  updated_at: string;
  /** Counts changes; an update names the version it saw. */
  version: number;
}

export interface Role extends Named {
  permissions: string[];
}

export interface Group extends Named {
  /** Names of roles that everybody in it has. */
  roles: string[];
}

/** How an app, or every app, learns of a person beside the standard claims. */
export interface ClaimTable {
  /** The client's id, or `DEFAULT_TABLE`. */
  id: string;
  name: string;
  rules: ClaimRule[];
  created_at: string;
  updated_at: string;
  version: number;
}

/** The table that is for every app, behind its own. No client can have this id. */
export const DEFAULT_TABLE = '_default';
/** It makes admins of this program: given to people one by one, by whoever may make admins, and never by way of a record. */
export const RESERVED_ROLE = 'admin';

export const DESCRIPTION_MAX = 500;
export const MOST_PERMISSIONS = 500;
export const MOST_ROLES_OF_GROUP = 100;
/** Of a kind: every process holds them all. */
export const MOST_RECORDS = 5000;

const ROLE_NAME = /^[\w.:-]{1,100}$/;
const GROUP_NAME = /^[\p{L}\p{N}_.:-]{1,100}$/u;
const PERMISSION = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;
const INVISIBLE = /\p{Cc}|\p{Zl}|\p{Zp}|[\u202a-\u202e\u2066-\u2069]/u;

/** @throws invalid_input. */
export function checkRoleName(name: string): string {
  if (!ROLE_NAME.test(name)) throw invalidInput('a role has 1 to 100 letters, digits and . _ : -', 'name');
  if (name === RESERVED_ROLE) throw invalidInput(`${RESERVED_ROLE} is the role of Gatehouse's own admins`, 'name');
  return name;
}

/** @throws invalid_input. */
export function checkGroupName(name: string): string {
  const normal = name.normalize('NFC');
  if (!GROUP_NAME.test(normal)) throw invalidInput('a group has 1 to 100 letters, digits and . _ : -', 'name');
  return normal;
}

/** @throws invalid_input. */
export function checkDescription(description: string): string {
  if (description.length > DESCRIPTION_MAX)
    throw invalidInput(`a description has at most ${DESCRIPTION_MAX} characters`, 'description');
  if (INVISIBLE.test(description)) throw invalidInput('the description has characters that nobody sees', 'description');
  return description.trim();
}

/** @throws invalid_input. */
export function checkPermissions(permissions: string[]): string[] {
  const bad = permissions.find((one) => !PERMISSION.test(one));
  if (bad !== undefined)
    throw invalidInput(
      `${JSON.stringify(bad.slice(0, 100))} is no permission: 1 to 100 visible ASCII characters without space, " and \\`,
      'permissions',
    );
  if (permissions.length > MOST_PERMISSIONS)
    throw invalidInput(`a role has at most ${MOST_PERMISSIONS} permissions`, 'permissions');
  return [...new Set(permissions)].toSorted();
}

/** @throws invalid_input. Roles need no record: people may have them without. */
export function checkRolesOfGroup(roles: string[]): string[] {
  const bad = roles.find((one) => !ROLE_NAME.test(one));
  if (bad !== undefined) throw invalidInput(`${JSON.stringify(bad.slice(0, 100))} is no role`, 'roles');
  if (roles.includes(RESERVED_ROLE))
    throw invalidInput(`the role ${RESERVED_ROLE} is given to people one by one`, 'roles');
  if (roles.length > MOST_ROLES_OF_GROUP)
    throw invalidInput(`a group has at most ${MOST_ROLES_OF_GROUP} roles`, 'roles');
  return [...new Set(roles)].toSorted();
}

/** As it is told to admins: by its name. */
export function publicNamed<T extends Role | Group>(record: T): Omit<T, 'id' | 'former_names' | 'going'> {
  const told: Partial<T> = { ...record };
  delete told.id;
  delete told.former_names;
  delete told.going;
  return told as Omit<T, 'id' | 'former_names' | 'going'>;
}
