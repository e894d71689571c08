/** Claim tables in files: `client_id` says whose it is; without one it is for every app. */
import { z } from 'zod';
import * as shapes from '../../admin/role-schemas.ts';
import type { ClaimTables, TableView } from '../../administration/claim-tables.ts';
import { OPERATOR } from '../../administration/principal.ts';
import { isBuiltIn } from '../../clients/client.ts';
import type { Clients } from '../../clients/clients.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import { checkRules } from '../../roles/claim-rules.ts';
import type { ClaimRule } from '../../roles/claim-rules.ts';
import { DEFAULT_TABLE } from '../../roles/role.ts';
import { changesBetween, judged } from '../kind.ts';
import type { Kind, Outlook, Step } from '../kind.ts';
import type { Problem } from '../problem.ts';

interface Wanted {
  client_id?: string | undefined;
  rules: ClaimRule[];
}

interface Needs {
  claimTables: ClaimTables;
  clients: Pick<Clients, 'find'>;
}

const KIND = 'claims';
const tableOf = ({ client_id = DEFAULT_TABLE }: Wanted) => client_id;

export function claimsKind({ claimTables, clients }: Needs): Kind<Wanted> {
  /** Those of apps that are themselves in no file are in none either. */
  async function existing(): Promise<TableView[]> {
    const all = await claimTables.list();
    const own = await Promise.all(
      all.map(async ({ table }) => {
        if (table === DEFAULT_TABLE) return true;
        return !isBuiltIn(table) && (await clients.find(table))?.dynamically_registered !== true;
      }),
    );
    return all.filter((_, index) => own[index]);
  }

  /** As it is; empty where there is nothing yet, or the app comes with the same files. */
  async function before(table: string, { coming }: Outlook): Promise<TableView> {
    try {
      return await claimTables.get(table);
    } catch (error) {
      if (!isGatehouseError(error, 'not_found') || !coming.get('client')?.has(table)) throw error;
      return { table, rules: [], version: 0 };
    }
  }

  function stepTo(rules: ClaimRule[], { table, rules: old, version }: TableView, act: Step['act']): Step[] {
    const changes = changesBetween({ rules: old }, { rules });
    if (changes.length === 0) return [];
    return [
      {
        act,
        kind: KIND,
        id: table,
        changes: act === 'remove' ? [] : changes,
        notes: [],
        async run() {
          await claimTables.set(OPERATOR, table, rules, version);
        },
      },
    ];
  }

  return {
    name: KIND,
    schema: z.strictObject({ ...shapes.newClaimTable.shape, client_id: z.string().optional() }),
    identities: (wanted) => [tableOf(wanted)],
    async plan(items, { prune, outlook }) {
      const problems: Problem[] = [];
      const steps: Step[] = [];
      for (const item of items)
        await judged(item, problems, async () => {
          const now = await before(tableOf(item.wanted), outlook);
          const act = now.rules.length === 0 ? 'create' : 'change';
          steps.push(...stepTo(checkRules(item.wanted.rules), now, act));
        });
      const named = new Set(items.map(({ wanted }) => tableOf(wanted)));
      const gone = prune ? (await existing()).filter(({ table }) => !named.has(table)) : [];
      return { steps: [...steps, ...gone.flatMap((one) => stepTo([], one, 'remove'))], problems };
    },
    async export() {
      const all = (await existing()).sort((a, b) => (a.table < b.table ? -1 : 1));
      return all.map(({ table, rules }) => ({ ...(table === DEFAULT_TABLE ? {} : { client_id: table }), rules }));
    },
  };
}
