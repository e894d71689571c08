/** Claim tables: which app learns what of people, row by row. */
import type { ClaimTables, TableView } from '../../administration/claim-tables.ts';
import type { Client } from '../../clients/client.ts';
import { notFound } from '../../kernel/errors.ts';
import { DEFAULT_TABLE } from '../../roles/role.ts';
import type { ClaimRule } from '../../roles/claim-rules.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import { NEW_ROW, pathOf, ROW, rowValues, toRow } from '../claim-form.ts';
import { keptOf, showForm, trySaving, valuesOf, versionOf } from '../forms.ts';
import type { FormPage, Values } from '../forms.ts';
import { principalOf } from '../place.ts';

interface Needs {
  claimTables: ClaimTables;
  clients: { find(id: string): Promise<Client | undefined> };
}

const path = (table: string, more = '') => `/claims/${encodeURIComponent(table)}${more}`;
const keep = keptOf(ROW);

const shown = (rule: ClaimRule) => ({
  claim: pathOf(rule.claim),
  source: rule.source,
  detail: rule.field ?? (rule.value === undefined ? (rule.prefix ?? '') : JSON.stringify(rule.value)),
  shape: rule.shape ?? null,
  into: rule.into,
  when: Object.entries(rule.when ?? {}).map(([name, value]) => ({ name, value })),
});

export function claimsSection({ claimTables, clients }: Needs): Section {
  const nameOf = async (table: string) =>
    table === DEFAULT_TABLE ? null : ((await clients.find(table))?.client_name ?? table);
  const tableAt = (visit: Visit) => claimTables.get(parameterOf(visit, 'table'));

  async function show(desk: Desk, visit: Visit, { table, rules, version }: TableView): Promise<void> {
    const name = await nameOf(table);
    const others = (await claimTables.list()).filter((one) => one.table !== DEFAULT_TABLE && one.table !== table);
    const listed = await Promise.all(
      others.map(async (one) => ({ name: await nameOf(one.table), url: desk.url(path(one.table)) })),
    );
    await desk.show(
      visit,
      'claim-table',
      {
        name,
        version,
        rows: rules.map((rule, index) => ({
          ...shown(rule),
          url: desk.url(path(table, `/rows/${index + 1}`)),
          remove_action: desk.url(path(table, `/rows/${index + 1}/remove`)),
        })),
        others: listed,
        new_url: desk.url(path(table, '/rows/new')),
        general_url: name === null ? null : desk.url('/claims'),
        app_url: name === null ? null : desk.url(`/apps/${encodeURIComponent(table)}`),
        preview_url: `${desk.url('/preview')}${name === null ? '' : `?client_id=${encodeURIComponent(table)}`}`,
      },
      { title: name === null ? ['console.claims.title'] : ['console.claims.title_app', { name }] },
    );
  }

  const showRow = (
    desk: Desk,
    visit: Visit,
    table: string,
    row: string,
    page: Partial<FormPage> & { values: Values },
  ) =>
    showForm(desk, visit, {
      title: ['console.claims.row'],
      lead: 'console.claims.row_lead',
      action: desk.url(path(table, `/rows/${row}`)),
      back: desk.url(path(table)),
      submit: 'console.submit.save',
      groups: ROW,
      ...page,
    });

  /** The place of a row, counted from 0; behind all there are for a new one. @throws not_found. */
  function placeOf(visit: Visit, { rules }: TableView): number {
    const row = parameterOf(visit, 'row');
    if (row === 'new') return rules.length;
    const index = Number(row) - 1;
    if (!/^\d{1,3}$/.test(row) || !rules[index]) throw notFound('there is no such row');
    return index;
  }

  return {
    id: 'claims',
    group: 'apps',
    path: '/claims',
    add(desk) {
      desk.get('/claims', async (visit) => show(desk, visit, await claimTables.get(DEFAULT_TABLE)));
      desk.get('/claims/:table', async (visit) => show(desk, visit, await tableAt(visit)));

      const at = '/claims/:table/rows/:row';
      desk.get(
        at,
        async (visit) => {
          const view = await tableAt(visit);
          const row = view.rules[placeOf(visit, view)];
          const name = parameterOf(visit, 'row');
          const { version, ...draft } = desk.draft(visit, path(view.table, `/rows/${name}`));
          const values = Object.keys(draft).length > 0 ? draft : row ? rowValues(row) : NEW_ROW;
          await showRow(desk, visit, view.table, name, {
            values,
            version: version ? Number(version) : view.version,
          });
        },
        { strong: true },
      );
      desk.post(
        at,
        async (visit) => {
          const view = await tableAt(visit);
          const place = placeOf(visit, view);
          const values = valuesOf(visit.ctx, ROW, view.rules[place] && rowValues(view.rules[place]));
          const version = versionOf(visit.ctx);
          const rules = view.rules.toSpliced(place, 1, toRow(values));
          const tried = await trySaving(ROW, () => claimTables.set(principalOf(visit), view.table, rules, version));
          if ('saved' in tried) return desk.done(visit, path(view.table), 'claims_saved');
          const page = 'wrong' in tried ? { wrong: tried.wrong, version } : { version: view.version, overtaken: {} };
          await showRow(desk, visit, view.table, parameterOf(visit, 'row'), { values, ...page });
        },
        { strong: true, back: at, keep },
      );
      desk.post(
        `${at}/remove`,
        async (visit) => {
          const view = await tableAt(visit);
          const rules = view.rules.toSpliced(placeOf(visit, view), 1);
          await claimTables.set(principalOf(visit), view.table, rules, versionOf(visit.ctx));
          desk.done(visit, path(view.table), 'claims_saved');
        },
        { strong: true, back: '/claims/:table', keep: ['version'] },
      );
    },
  };
}
