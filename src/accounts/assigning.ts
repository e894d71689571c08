/** Roles and groups of one person: given and taken away beside whatever else changes at the moment. */
import { invalidInput } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import { isGroup, isRole } from './role.ts';

export interface Assignment {
  roles?: string[] | undefined;
  groups?: string[] | undefined;
}

export interface Reassignment {
  add?: Assignment | undefined;
  remove?: Assignment | undefined;
}

/** Of each kind. */
const MOST = 200;

/** @throws invalid_input naming the field. */
export function checkAssignment({ roles = [], groups = [] }: Assignment): void {
  const badRole = roles.find((role) => !isRole(role));
  if (badRole !== undefined) throw invalidInput(`role ${badRole} may only have letters, digits and . _ : -`, 'roles');
  const badGroup = groups.find((group) => !isGroup(group));
  if (badGroup !== undefined)
    throw invalidInput(`group ${badGroup} may only have letters, digits and . _ : -`, 'groups');
  for (const [field, names] of Object.entries({ roles, groups }))
    if (names.length > MOST) throw invalidInput(`a person has at most ${MOST} ${field}`, field);
}

const merged = (now: string[] = [], add: string[] = [], remove: string[] = []): string[] => [
  ...new Set([...now.filter((one) => !remove.includes(one)), ...add]),
];

/** What is in both `add` and `remove` is there afterwards. @returns the same account where nothing changes. */
export function assigned(account: Account, { add, remove }: Reassignment): Account {
  const roles = merged(account.roles, add?.roles, remove?.roles);
  const groups = merged(account.groups, add?.groups, remove?.groups);
  checkAssignment({ roles, groups });
  const same = roles.join('\n') === account.roles.join('\n') && groups.join('\n') === (account.groups ?? []).join('\n');
  return same ? account : { ...account, roles, groups };
}
