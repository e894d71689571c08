/** Roles and groups, as admins handle them. */
import { isoNow } from '../kernel/clock.ts';
import { conflict, isGatehouseError } from '../kernel/errors.ts';
import { checkGroupName, checkPermissions, checkRoleName, checkRolesOfGroup } from '../roles/role.ts';
import type { ClaimTable, Group } from '../roles/role.ts';
import { createNamedRecords } from './named-records.ts';
import type { NamedChange, NamedNeeds, NamedRecords, NewNamed } from './named-records.ts';

export type Roles = NamedRecords<'role'>;
export type Groups = NamedRecords<'group'>;
export type NewRole = NewNamed<'role'>;
export type RoleChange = NamedChange<'role'>;
export type NewGroup = NewNamed<'group'>;
export type GroupChange = NamedChange<'group'>;

const ATTEMPTS = 5;

const inPlaceOf = (from: string, to: string | undefined, names: string[]): string[] => [
  ...new Set(names.flatMap((name) => (name === from ? (to ?? []) : [name]))),
];

interface Needs extends NamedNeeds {
  /** Roles whose people need a second factor, by the policy as it is now. */
  factorRoles(): readonly string[];
}

export function createRolesAndGroups(needs: Needs): { roles: Roles; groups: Groups } {
  const { store, book, factorRoles } = needs;

  /** Changes each record of a kind that something is to be changed in, whatever else changes at the moment. */
  async function changeEach<K extends 'group' | 'claims', T extends (K extends 'group' ? Group : ClaimTable)>(
    kind: K,
    apply: (record: T) => T | undefined,
  ): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      let overtaken = false;
      for (const record of (await book.latest()).records[kind] as unknown as T[]) {
        const next = apply(record);
        if (!next) continue;
        try {
          await store.update(kind, { ...next, updated_at: isoNow() } as never);
        } catch (error) {
          if (!isGatehouseError(error, 'conflict') && !isGatehouseError(error, 'not_found')) throw error;
          overtaken = true;
        }
      }
      if (!overtaken) return;
    }
  }

  /** A condition on what is gone stays, and is never fulfilled. */
  const inConditions = (name: 'role' | 'group', from: string, to: string) =>
    changeEach<'claims', ClaimTable>('claims', (table) =>
      table.rules.some(({ when }) => when?.[name] === from)
        ? {
            ...table,
            rules: table.rules.map((rule) =>
              rule.when?.[name] === from ? { ...rule, when: { ...rule.when, [name]: to } } : rule,
            ),
          }
        : undefined,
    );

  const roles = createNamedRecords<'role'>(needs, {
    kind: 'role',
    prefix: 'rol_',
    field: 'roles',
    checkName: checkRoleName,
    content: ({ permissions }) => (permissions === undefined ? {} : { permissions: checkPermissions(permissions) }),
    empty: { permissions: [] },
    async references(from, to) {
      await changeEach<'group', Group>('group', (group) =>
        group.roles.includes(from) ? { ...group, roles: inPlaceOf(from, to, group.roles) } : undefined,
      );
      if (to !== undefined) await inConditions('role', from, to);
    },
    // Whoever renames or removes it would lift the demand without a word.
    mustBeIdle(name) {
      if (factorRoles().includes(name))
        throw conflict(`who has the role ${name} needs a second factor: take it out of factors.required_roles first`);
    },
  });
  const groups = createNamedRecords<'group'>(needs, {
    kind: 'group',
    prefix: 'grp_',
    field: 'groups',
    checkName: checkGroupName,
    content: ({ roles: carried }) => (carried === undefined ? {} : { roles: checkRolesOfGroup(carried) }),
    empty: { roles: [] },
    async references(from, to) {
      if (to !== undefined) await inConditions('group', from, to);
    },
  });
  return { roles, groups };
}
