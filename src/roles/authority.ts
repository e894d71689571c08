/** What somebody may do: their own roles, those of their groups, and the permissions of all of them. */
import type { Group, Role } from './role.ts';

export interface Holder {
  roles: string[];
  /** Missing in older records. */
  groups?: string[] | undefined;
}

export interface Authority {
  roles: string[];
  groups: string[];
  permissions: string[];
}

/** Where a role or permission comes from: `own`, `group:<name>` or `role:<name>`. */
export type Origins = Record<string, string[]>;

export interface Directory {
  /** By its name, or one that it had and that not everybody was told to be changed. */
  role(name: string): Role | undefined;
  group(name: string): Group | undefined;
}

interface Explained extends Authority {
  origins: { roles: Origins; permissions: Origins };
}

function note(origins: Map<string, string[]>, name: string, from: string): void {
  const known = origins.get(name);
  if (!known) origins.set(name, [from]);
  else if (!known.includes(from)) known.push(from);
}

/** A role without a record is one without permissions; a group without a record is none. */
export function explained({ roles, groups = [] }: Holder, directory: Directory): Explained {
  const ofRoles = new Map<string, string[]>();
  const ofPermissions = new Map<string, string[]>();
  const known = groups.map((name) => directory.group(name)).filter((group) => group !== undefined);
  const nameOf = (role: string) => directory.role(role)?.name ?? role;
  for (const role of roles) note(ofRoles, nameOf(role), 'own');
  for (const group of known) for (const role of group.roles) note(ofRoles, nameOf(role), `group:${group.name}`);
  for (const role of ofRoles.keys())
    for (const permission of directory.role(role)?.permissions ?? []) note(ofPermissions, permission, `role:${role}`);
  return {
    roles: [...ofRoles.keys()],
    groups: [...new Set(known.map(({ name }) => name))],
    permissions: [...ofPermissions.keys()].toSorted(),
    origins: { roles: Object.fromEntries(ofRoles), permissions: Object.fromEntries(ofPermissions) },
  };
}

export function authorityOf(holder: Holder, directory: Directory): Authority {
  const { roles, groups, permissions } = explained(holder, directory);
  return { roles, groups, permissions };
}
