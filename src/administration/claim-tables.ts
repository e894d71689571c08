/** Claim tables, as admins handle them: one for every app, and one of its own for each. */
import type { Audit } from '../audit/audit.ts';
import type { Client } from '../clients/client.ts';
import { isOwnPage } from '../clients/client.ts';
import { isoNow } from '../kernel/clock.ts';
import { conflict, isGatehouseError, notFound, stale } from '../kernel/errors.ts';
import type { RoleBook } from '../roles/book.ts';
import { checkRules } from '../roles/claim-rules.ts';
import type { ClaimRule } from '../roles/claim-rules.ts';
import { DEFAULT_TABLE } from '../roles/role.ts';
import type { ClaimTable } from '../roles/role.ts';
import type { RoleStore } from '../roles/store.ts';
import { inShort } from './difference.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

/** Version 0 where nobody has said anything yet. */
export type TableView = Pick<ClaimTable, 'rules' | 'version'> & {
  /** The client's id, or `_default`. */
  table: string;
};

/** A table is named by the client's id, or is `_default`. */
export interface ClaimTables {
  /** Those that have rows. */
  list(): Promise<TableView[]>;
  /** @throws not_found where there is no such app. */
  get(table: string): Promise<TableView>;
  /**
   * Puts these rows in the place of what was there; none to take all away.
   * @param version that the admin has seen. @throws not_found, conflict for pages of ours, invalid_input naming the row, stale.
   */
  set(by: Principal, table: string, rules: ClaimRule[], version?: number): Promise<TableView>;
}

interface Needs {
  store: RoleStore;
  book: RoleBook;
  clients: { find(id: string): Promise<Client | undefined> };
  audit: Pick<Audit, 'act'>;
}

const view = ({ id, rules, version }: Pick<ClaimTable, 'id' | 'rules' | 'version'>): TableView => ({
  table: id,
  rules,
  version,
});

/** Row by row. */
function changes(before: ClaimRule[], after: ClaimRule[]): Record<string, string> {
  const count = Math.max(before.length, after.length);
  const rows = Array.from({ length: count }, (_, index) => [before[index], after[index]] as const);
  return Object.fromEntries(
    rows.flatMap(([old, now], index) =>
      JSON.stringify(old) === JSON.stringify(now) ? [] : [[`row ${index + 1}`, `${inShort(old)} → ${inShort(now)}`]],
    ),
  );
}

export function createClaimTables({ store, book, clients, audit }: Needs): ClaimTables {
  async function mustBeThere(table: string): Promise<void> {
    if (table === DEFAULT_TABLE) return;
    const client = await clients.find(table);
    if (!client || client.type === 'api') throw notFound(`no app has the id ${table}`);
    if (isOwnPage(table)) throw conflict(`${table} is part of Gatehouse`);
  }

  const stored = async (table: string) => (await book.latest()).records.claims.find(({ id }) => id === table);

  async function write(before: ClaimTable | undefined, table: string, rules: ClaimRule[]): Promise<ClaimTable> {
    const now = isoNow();
    try {
      if (before) return await store.update('claims', { ...before, rules, updated_at: now });
      const made: ClaimTable = { id: table, name: table, rules, created_at: now, updated_at: now, version: 1 };
      await store.insert('claims', made);
      return made;
    } catch (error) {
      if (isGatehouseError(error, 'conflict') || isGatehouseError(error, 'duplicate'))
        throw stale('the table was changed meanwhile');
      throw error;
    }
  }

  return {
    list: async () => (await book.latest()).records.claims.filter(({ rules }) => rules.length > 0).map(view),
    async get(table) {
      await mustBeThere(table);
      return view((await stored(table)) ?? { id: table, rules: [], version: 0 });
    },
    async set(by, table, rules, version) {
      mustHave(by, 'claims:write', 'this changes what apps learn of people');
      await mustBeThere(table);
      const before = await stored(table);
      if (version !== undefined && version !== (before?.version ?? 0)) throw stale('the table was changed meanwhile');
      const checked = checkRules(rules);
      if (JSON.stringify(checked) === JSON.stringify(before?.rules ?? []))
        return view(before ?? { id: table, rules: [], version: 0 });
      const after = await write(before, table, checked);
      await book.latest();
      const target =
        table === DEFAULT_TABLE ? { kind: 'system' as const, id: null } : { kind: 'client' as const, id: table };
      await audit.act('claims_changed', target, changes(before?.rules ?? [], checked));
      return view(after);
    },
  };
}
