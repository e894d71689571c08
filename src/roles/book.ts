/**
 * Roles, groups and claim tables as this process knows them: all of them, in memory, never older than a second. Tokens are made of them
 * at every request, and they change seldom: what is asked of the store is whether they did, twice a second at most.
 */
import { authorityOf, explained } from './authority.ts';
import type { Authority, Directory, Holder } from './authority.ts';
import type { ClaimRule } from './claim-rules.ts';
import { DEFAULT_TABLE } from './role.ts';
import type { Group, Role } from './role.ts';
import type { RoleRecords, RoleStore } from './store.ts';

/** Half of the second, so that a look that is under way does not add to it. */
const HELD_MS = 500;

export interface Snapshot extends Directory {
  records: RoleRecords;
  authorityOf(holder: Holder): Authority;
  explained(holder: Holder): ReturnType<typeof explained>;
  /** The rules for a client: its own, then those for all. */
  rulesFor(clientId: string): { own: ClaimRule[]; general: ClaimRule[] };
}

export interface RoleBook {
  /** @throws unavailable where the store does not answer. */
  current(): Promise<Snapshot>;
  /** As the store has it now. */
  latest(): Promise<Snapshot>;
}

const NO_RULES = { own: [], general: [] };

function byNames<T extends Role | Group>(records: T[]): Map<string, T> {
  const former = records.flatMap((one) => one.former_names.map((name) => [name, one] as const));
  return new Map([...former, ...records.map((one) => [one.name, one] as const)]);
}

function snapshotOf(records: RoleRecords): Snapshot {
  const [roles, groups] = [byNames(records.role), byNames(records.group)];
  const tables = new Map(records.claims.map(({ id, rules }) => [id, rules]));
  const directory = { role: (name: string) => roles.get(name), group: (name: string) => groups.get(name) };
  return {
    ...directory,
    records,
    authorityOf: (holder) => authorityOf(holder, directory),
    explained: (holder) => explained(holder, directory),
    rulesFor: (clientId) =>
      tables.size === 0
        ? NO_RULES
        : {
            own: tables.get(clientId) ?? [],
            general: clientId === DEFAULT_TABLE ? [] : (tables.get(DEFAULT_TABLE) ?? []),
          },
  };
}

export function createRoleBook({ store }: { store: Pick<RoleStore, 'all' | 'version'> }): RoleBook {
  let known: { version: string; snapshot: Snapshot } | undefined;
  let heldUntil = -Infinity;
  /** A clock that nobody sets may stand still while the machine sleeps. */
  let seenAt = 0;
  let looking: Promise<Snapshot> | undefined;

  async function look(): Promise<Snapshot> {
    const [began, day] = [performance.now(), Date.now()];
    // The version first: what changes in between is read again the next time.
    const version = await store.version();
    if (known?.version !== version) known = { version, snapshot: snapshotOf(await store.all()) };
    heldUntil = began + HELD_MS;
    seenAt = day;
    return known.snapshot;
  }

  function refresh(): Promise<Snapshot> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    async current() {
      const isHeld = known && performance.now() < heldUntil && Math.abs(Date.now() - seenAt) < HELD_MS;
      return isHeld ? known!.snapshot : refresh();
    },
    async latest() {
      // One that is under way may have read already.
      await looking?.catch(() => undefined);
      return refresh();
    },
  };
}
