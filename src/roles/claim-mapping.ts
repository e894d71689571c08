/** What a claim table makes of a person: the claims, and which row each came from. */
import type { Authority } from './authority.ts';
import { isListSource, isProtected } from './claim-rules.ts';
import type { ClaimRule, ClaimTarget } from './claim-rules.ts';

/** Whom and what a token is made for. */
export interface MappingFacts {
  target: ClaimTarget;
  /** Those of the token. */
  scopes: Set<string>;
  /** Undefined where a program acts for itself: it has constants only. */
  person:
    | {
        claims: Record<string, unknown>;
        /** As the app knows them. */
        sub: string;
        authority: Authority;
      }
    | undefined;
  /** Nobody here has looked at the app. */
  selfRegistered: boolean;
  /** What a role or group is called now. */
  roleName(name: string): string;
  groupName(name: string): string;
}

export type Table = 'own' | 'general';

/** Why a row gave nothing. `taken`: a row before it did. `stranger`: an app that registered itself is told by scope alone. */
export type Skipped = 'target' | 'scope' | 'role' | 'group' | 'person' | 'empty' | 'taken' | 'stranger';

export interface RowResult {
  table: Table;
  /** Counted from 0. */
  row: number;
  claim: string[];
  skipped?: Skipped;
}

export interface Mapped {
  claims: Record<string, unknown>;
  rows: RowResult[];
}

type Json = Record<string, unknown>;

function listOf(values: string[], { prefix, shape = 'list' }: ClaimRule): unknown {
  const fitting = prefix === undefined ? values : values.filter((one) => one.startsWith(prefix));
  const list = fitting.map((one) => one.slice(prefix?.length ?? 0)).filter((one) => one !== '');
  if (shape === 'list') return list;
  if (list.length === 0) return undefined;
  if (shape === 'first') return list[0];
  return list.join(shape === 'spaces' ? ' ' : ',');
}

function valueOf(rule: ClaimRule, person: MappingFacts['person']): unknown {
  if (rule.source === 'constant') return rule.value;
  if (!person) return undefined;
  if (isListSource(rule.source)) return listOf(person.authority[rule.source as keyof Authority], rule);
  return rule.field === 'sub' ? person.sub : person.claims[rule.field!];
}

/** Why the row is not for this token. */
function unfit(rule: ClaimRule, table: Table, facts: MappingFacts): Skipped | undefined {
  const { target, scopes, person, selfRegistered, roleName, groupName } = facts;
  const { scope, role, group } = rule.when ?? {};
  if (!rule.into.includes(target)) return 'target';
  if (!person && (rule.source !== 'constant' || role !== undefined || group !== undefined)) return 'person';
  if (scope !== undefined && !scopes.has(scope)) return 'scope';
  if (role !== undefined && !person!.authority.roles.includes(roleName(role))) return 'role';
  if (group !== undefined && !person!.authority.groups.includes(groupName(group))) return 'group';
  if (table === 'general' && selfRegistered && scope === undefined && rule.source !== 'constant') return 'stranger';
  return undefined;
}

/** @returns false where something stands there already, or in its way. */
function place(claims: Json, path: string[], value: unknown): boolean {
  let at = claims;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(at, name)) at[name] = {};
    const next = at[name];
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return false;
    at = next as Json;
  }
  const last = path.at(-1)!;
  if (Object.hasOwn(at, last)) return false;
  at[last] = value;
  return true;
}

/** The app's own rows come before those for all; of rows for one claim the first that gives something counts. */
export function mapClaims({ own, general }: Record<Table, ClaimRule[]>, facts: MappingFacts): Mapped {
  const claims: Json = {};
  const rows: RowResult[] = [];
  const apply = (table: Table) => (rule: ClaimRule, row: number) => {
    const { claim } = rule;
    let skipped = unfit(rule, table, facts);
    // However it came into the store: what the protocol says is not for a table to say.
    if (!skipped && claim.some(isProtected)) skipped = 'taken';
    if (!skipped) {
      const value = valueOf(rule, facts.person);
      skipped = value === undefined || value === null ? 'empty' : place(claims, claim, value) ? undefined : 'taken';
    }
    rows.push({ table, row, claim, ...(skipped ? { skipped } : {}) });
  };
  own.forEach(apply('own'));
  general.forEach(apply('general'));
  return { claims, rows };
}
