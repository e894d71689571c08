/** Roles and groups in files: alike but for what they carry. */
import type { z } from 'zod';
import * as shapes from '../../admin/role-schemas.ts';
import type { NamedRecords } from '../../administration/named-records.ts';
import { OPERATOR } from '../../administration/principal.ts';
import type { Groups, Roles } from '../../administration/roles.ts';
import {
  checkDescription,
  checkGroupName,
  checkPermissions,
  checkRoleName,
  checkRolesOfGroup,
} from '../../roles/role.ts';
import { changesBetween, judged, mustNotGo } from '../kind.ts';
import type { Kind, Step } from '../kind.ts';
import type { Problem } from '../problem.ts';

interface Wanted {
  name: string;
  description?: string | undefined;
  permissions?: string[] | undefined;
  roles?: string[] | undefined;
}

interface Named {
  name: string;
  description: string;
  permissions?: string[];
  roles?: string[];
  version: number;
}

interface Shape {
  name: 'role' | 'group';
  schema: z.ZodObject;
  /** All of it, in its normal form. @throws invalid_input. */
  whole(wanted: Wanted): Omit<Named, 'version'>;
}

const ROLE: Shape = {
  name: 'role',
  schema: shapes.newRole,
  whole: ({ name, description = '', permissions = [] }) => ({
    name: checkRoleName(name),
    description: checkDescription(description),
    permissions: checkPermissions(permissions),
  }),
};
const GROUP: Shape = {
  name: 'group',
  schema: shapes.newGroup,
  whole: ({ name, description = '', roles = [] }) => ({
    name: checkGroupName(name),
    description: checkDescription(description),
    roles: checkRolesOfGroup(roles),
  }),
};

/** What both are here. */
type Records = Pick<NamedRecords<'role'>, 'list' | 'create' | 'update' | 'remove'>;

const fieldsOf = ({ name, description, permissions, roles }: Named): Omit<Named, 'version'> => ({
  name,
  description,
  ...(permissions === undefined ? {} : { permissions }),
  ...(roles === undefined ? {} : { roles }),
});

function namedKind({ name: kind, schema, whole }: Shape, records: Records): Kind<Wanted> {
  async function existing(): Promise<Named[]> {
    const found: Named[] = [];
    let after: string | undefined;
    do {
      const page = await records.list({ after, limit: 500 });
      found.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  const creation = (wanted: Omit<Named, 'version'>): Step => ({
    act: 'create',
    kind,
    id: wanted.name,
    changes: changesBetween({}, wanted, ['name']).filter(({ new: now }) => now !== '' && now !== null),
    notes: [],
    async run() {
      await records.create(OPERATOR, wanted);
    },
  });

  function alteration(wanted: Omit<Named, 'version'>, before: Named): Step | undefined {
    const changes = changesBetween(fieldsOf(before), wanted);
    if (changes.length === 0) return undefined;
    return {
      act: 'change',
      kind,
      id: before.name,
      changes,
      notes: [],
      async run() {
        await records.update(OPERATOR, before.name, wanted, before.version);
      },
    };
  }

  const removal = ({ name, version }: Named): Step => ({
    act: 'remove',
    kind,
    id: name,
    changes: [],
    notes: ['it is taken from everybody who has it'],
    async run() {
      await records.remove(OPERATOR, name, version);
    },
  });

  return {
    name: kind,
    schema,
    identities: ({ name }) => [name.normalize('NFC')],
    async plan(items, { prune, outlook }) {
      const all = await existing();
      const problems: Problem[] = [];
      const steps: Step[] = [];
      const kept = new Set<string>();
      for (const item of items)
        await judged(item, problems, async () => {
          const wanted = whole(item.wanted);
          kept.add(wanted.name);
          mustNotGo('role', wanted.roles, outlook);
          const before = all.find(({ name }) => name === wanted.name);
          const step = before ? alteration(wanted, before) : creation(wanted);
          if (step) steps.push(step);
        });
      if (prune) steps.push(...all.filter(({ name }) => !kept.has(name)).map(removal));
      return { steps, problems };
    },
    async export() {
      const all = (await existing()).sort((a, b) => (a.name < b.name ? -1 : 1));
      const isSaid = (value: unknown) => value !== '' && !(Array.isArray(value) && value.length === 0);
      return all.map((one) => Object.fromEntries(Object.entries(fieldsOf(one)).filter(([, value]) => isSaid(value))));
    },
  };
}

export const roleKind = (roles: Roles): Kind<Wanted> => namedKind(ROLE, roles);
export const groupKind = (groups: Groups): Kind<Wanted> => namedKind(GROUP, groups as unknown as Records);
