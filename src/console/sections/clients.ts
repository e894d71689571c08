/** Apps and APIs: records of one kind with different fields, found, registered and each on a page of its own. */
import type { Kind } from '../../administration/apps.ts';
import { isBuiltIn } from '../../clients/client.ts';
import type { Client, ClientType } from '../../clients/client.ts';
import { datesIn } from '../../kernel/dates.ts';
import { mark } from '../../kernel/search.ts';
import { displayHost } from '../../kernel/urls.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import type { AppWarnings } from '../../administration/app-warnings.ts';
import { lookAt } from '../client-check.ts';
import { groupsFor, toNewClient, usualValues } from '../client-form.ts';
import { keptOf, namesOf, showForm, trySaving, valuesOf } from '../forms.ts';
import type { FormPage, Values } from '../forms.ts';
import { asked, oneOf, pageOf, pagesOf } from '../lists.ts';
import { appOffers, withOffers } from '../offers.ts';
import type { AppOfferNeeds } from '../offers.ts';
import { principalOf } from '../place.ts';
import { addClient } from './client.ts';
import { addDeletingSeveral } from './clients-bulk.ts';
import { addTrying } from './client-try.ts';
import type { TryNeeds } from './client-try.ts';
import { showSecret } from './client-secrets.ts';

export interface ClientNeeds extends TryNeeds, Omit<AppOfferNeeds, 'apps'> {
  warnings: AppWarnings;
}

export interface Shelf {
  kind: Kind;
  /** Its first page, and what is said on it: `console.<id>`. */
  id: 'apps' | 'apis';
  types: readonly ClientType[];
}

const APPS: Shelf = { kind: 'app', id: 'apps', types: ['web', 'spa', 'native', 'service'] };
const APIS: Shelf = { kind: 'api', id: 'apis', types: ['api'] };

const shown = ({ id, client_name, type, redirect_uris, resource, scope, logo_uri }: Client, base: string) => ({
  id,
  name: client_name,
  type,
  built_in: isBuiltIn(id),
  logo: logo_uri ? `${base}/logos/${id}` : null,
  about: resource ?? displayHost(redirect_uris[0]) ?? scope ?? '',
});

async function list(desk: Desk, visit: Visit, { id, kind, types }: Shelf, { apps, issuer }: ClientNeeds) {
  const { ctx } = visit;
  const filters = { search: asked(ctx, 'search'), type: asked(ctx, 'type') };
  const type = oneOf(filters.type, types);
  const having = kind === 'app' && type ? [mark('type', type)] : [];
  const { items, next } = await pageOf(ctx, (page) => apps.list(kind, { text: filters.search, having, ...page }));
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  await desk.show(
    visit,
    'clients',
    (_t, { tag }) => {
      const dates = datesIn(tag, visit.account.claims.zoneinfo);
      return {
        shelf: id,
        clients: items.map((client) => ({
          ...shown(client, base),
          since: dates.day(client.created_at),
          url: desk.url(`/${id}/${encodeURIComponent(client.id)}`),
        })),
        filters,
        live: true,
        filtered: filters.search !== '' || filters.type !== '',
        types: kind === 'app' ? types : [],
        action: desk.url(`/${id}`),
        new_url: desk.url(`/${id}/new`),
        bulk_url: desk.url(`/${id}/selected`),
        ...pagesOf(ctx, desk.url(`/${id}`), filters, next),
      };
    },
    { title: [`console.${id}.title`] },
  );
}

function addRegistering(desk: Desk, shelf: Shelf, needs: ClientNeeds): void {
  const { apps, warnings } = needs;
  const { id, kind, types } = shelf;

  async function show(visit: Visit, type: ClientType, typed: Values, found: Partial<FormPage> = {}): Promise<void> {
    const offers = kind === 'app' && !found.checked ? await appOffers(needs) : {};
    const groups = withOffers(groupsFor(type, false), offers);
    const values = Object.keys(typed).length > 0 ? typed : usualValues(groups);
    return showForm(desk, visit, {
      title: [`console.new.${type}`],
      lead: `console.new_lead.${type}`,
      action: desk.url(`/${id}/new/${type}`),
      back: desk.url(kind === 'app' ? '/apps/new' : '/apis'),
      submit: 'console.submit.register',
      check: desk.url(`/${id}/new/${type}/check`),
      groups,
      values,
      ...found,
    });
  }

  if (kind === 'app')
    desk.get('/apps/new', (visit) =>
      desk.show(visit, 'app-kinds', {
        kinds: types.map((type) => ({ type, url: desk.url(`/apps/new/${type}`) })),
      }),
    );
  else desk.get('/apis/new', (visit) => show(visit, 'api', desk.draft(visit, '/apis/new')));

  for (const type of types) {
    const at = `/${id}/new/${type}`;
    const groups = groupsFor(type, false);
    desk.get(at, (visit) => show(visit, type, desk.draft(visit, at)), { strong: true });
    desk.post(
      at,
      async (visit) => {
        const values = valuesOf(visit.ctx, groups);
        const tried = await trySaving(groups, () =>
          apps.register(principalOf(visit), toNewClient(type, values, groups)),
        );
        if ('stale' in tried) throw new Error('a new record cannot be stale');
        const kept = Object.fromEntries(namesOf(groups).map((name) => [name, values[name]!]));
        if ('wrong' in tried) return show(visit, type, kept, { wrong: tried.wrong });
        const { client, client_secret } = tried.saved;
        if (client_secret === undefined)
          return desk.done(visit, `/${id}/${client.id}`, 'registered', { name: client.client_name });
        await showSecret(desk, visit, shelf, client, client_secret);
      },
      { strong: true, back: at, keep: keptOf(groups) },
    );
    desk.post(`${at}/check`, async (visit) => {
      const values = valuesOf(visit.ctx, groups);
      const by = principalOf(visit);
      const draft = (tried: Values) => apps.draft(by, toNewClient(type, tried, groups));
      const found = await lookAt(visit.ctx, groups, values, { draft, warnings, type });
      await show(visit, type, values, found);
    });
  }
}

const section =
  (shelf: Shelf) =>
  (needs: ClientNeeds): Section => ({
    id: shelf.id,
    group: 'apps',
    path: `/${shelf.id}`,
    add(desk) {
      desk.get(`/${shelf.id}`, (visit) => list(desk, visit, shelf, needs));
      addRegistering(desk, shelf, needs);
      addDeletingSeveral(desk, shelf, needs);
      addClient(desk, shelf, needs);
      if (shelf.kind === 'app') addTrying(desk, needs);
    },
  });

/** What people sign in to, and programs that act for themselves. */
export const appsSection = section(APPS);
/** What tokens are for. */
export const apisSection = section(APIS);
