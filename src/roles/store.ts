import type { ClaimTable, Group, Role } from './role.ts';

export interface RoleKinds {
  role: Role;
  group: Group;
  claims: ClaimTable;
}
export type RoleKind = keyof RoleKinds;

/** All there is, of each kind by name in byte order. */
export interface RoleRecords {
  role: Role[];
  group: Group[];
  claims: ClaimTable[];
}

/** Where roles, groups and claim tables are kept. Every write survives power loss once its promise resolves. */
export interface RoleStore {
  /** @throws duplicate (field `name`) when the kind has one of that name or id: of callers at once, one wins. */
  insert<K extends RoleKind>(kind: K, record: RoleKinds[K]): Promise<void>;
  /**
   * Replaces the record if its version is still `record.version`, and returns it with the version counted up.
   * @throws conflict when it changed meanwhile, duplicate when its new name is taken, not_found when it is gone.
   */
  update<K extends RoleKind>(kind: K, record: RoleKinds[K]): Promise<RoleKinds[K]>;
  /** @returns whether there was one. */
  delete(kind: RoleKind, id: string): Promise<boolean>;
  all(): Promise<RoleRecords>;
  /** Another one after each change of anything, whoever made it. Costs next to nothing to ask for. */
  version(): Promise<string>;
}
