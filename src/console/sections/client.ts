/** One app or API: what is registered, what a developer of it needs, and what can be done with it. */
import { authMethod, grantTypes, isBuiltIn } from '../../clients/client.ts';
import { hasSecret } from '../../clients/protocol.ts';
import type { Client } from '../../clients/client.ts';
import { datesIn } from '../../kernel/dates.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { looksOf } from '../../administration/app-warnings.ts';
import { lookAt, shownWarnings } from '../client-check.ts';
import { clientValues, groupsFor, scopeLines, toChange } from '../client-form.ts';
import { showConfirmation } from '../confirm.ts';
import { keptOf, showForm, trySaving, valuesOf, versionOf } from '../forms.ts';
import type { FormPage, Values } from '../forms.ts';
import { asked } from '../lists.ts';
import { appOffers, withOffers } from '../offers.ts';
import { principalOf } from '../place.ts';
import { whyNot } from '../try-it.ts';
import { snippetsFor } from '../snippets.ts';
import { addSecrets, shownSecrets } from './client-secrets.ts';
import type { ClientNeeds, Shelf } from './clients.ts';

/** Fields of the record that a developer or an admin asks for, with what stands in them. */
function factsOf(client: Client, issuer: string): [name: string, values: string[]][] {
  const one = (value: string | null | undefined) => (value ? [value] : []);
  const facts: [string, string[]][] = [
    ['client_id', [client.id]],
    ['resource', one(client.resource)],
    ['issuer', client.type === 'api' ? [] : [issuer]],
    ['auth_method', client.type === 'api' ? [] : [authMethod(client)]],
    ['grant_types', grantTypes(client)],
    ['redirect_uris', client.redirect_uris],
    ['post_logout_redirect_uris', client.post_logout_redirect_uris],
    ['backchannel_logout_uri', one(client.backchannel_logout_uri)],
    ['frontchannel_logout_uri', one(client.frontchannel_logout_uri)],
    ['scope', client.type === 'api' ? [] : one(client.scope)],
    ['api_scopes', client.type === 'api' ? scopeLines(client).split('\n') : []],
    ['default_resource', one(client.default_resource)],
    ['default_acr_values', client.default_acr_values ?? []],
    ['identity_providers', client.identity_providers ?? []],
    ['access_token_format', client.type === 'api' ? [client.access_token_format ?? 'jwt'] : []],
    ['access_token_lifetime', one(client.access_token_lifetime?.toString())],
    ['access_token_signing_alg', one(client.access_token_signing_alg)],
    ['client_uri', one(client.client_uri)],
    ['policy_uri', one(client.policy_uri)],
    ['tos_uri', one(client.tos_uri)],
  ];
  return facts.filter(([, values]) => values.length > 0);
}

export function addClient(desk: Desk, shelf: Shelf, needs: ClientNeeds): void {
  const { apps, issuer, warnings } = needs;
  const { id: place, kind } = shelf;
  const at = `/${place}/:id`;
  const clientAt = (visit: Visit) => apps.get(kind, parameterOf(visit, 'id'));
  const url = ({ id }: Client, path = '') => `/${place}/${encodeURIComponent(id)}${path}`;

  desk.get(at, async (visit) => {
    const client = await clientAt(visit);
    const found = isBuiltIn(client.id) ? [] : shownWarnings(await warnings.of(looksOf(client)));
    await desk.show(
      visit,
      'client',
      (t, { tag }) => {
        const { day } = datesIn(tag, visit.account.claims.zoneinfo);
        const secrets = shownSecrets(client, (path) => desk.url(url(client, path)), day);
        return {
          shelf: place,
          name: client.client_name,
          type: client.type,
          first_party: client.first_party,
          built_in: isBuiltIn(client.id),
          has_secret: hasSecret(authMethod(client)),
          facts: factsOf(client, issuer).map(([name, values]) => ({ name, values })),
          secrets,
          warnings: found.map(({ key, variables }) => t(key, variables)),
          since: day(client.created_at),
          urls: {
            list: desk.url(`/${place}`),
            edit: desk.url(url(client, '/edit')),
            secret: desk.url(url(client, '/secret')),
            add_secret: secrets.length === 1 ? desk.url(url(client, '/secrets/add')) : null,
            remove: desk.url(url(client, '/delete')),
            try: client.type === 'api' || whyNot(client) !== undefined ? null : desk.url(url(client, '/try')),
            claims: client.type === 'api' ? null : desk.url(`/claims/${encodeURIComponent(client.id)}`),
            preview:
              client.type === 'api' ? null : `${desk.url('/preview')}?client_id=${encodeURIComponent(client.id)}`,
            snippets: client.type === 'api' ? null : desk.url(url(client, '/snippets')),
            audit: `${desk.url('/audit')}?target=${encodeURIComponent(client.id)}`,
          },
        };
      },
      { title: ['console.title.client', { name: client.client_name }] },
    );
  });

  if (kind === 'app')
    desk.get(`${at}/snippets`, async (visit) => {
      const client = await clientAt(visit);
      const snippets = snippetsFor(client, issuer);
      const current = snippets.find(({ id }) => id === asked(visit.ctx, 'for')) ?? snippets[0]!;
      await desk.show(
        visit,
        'snippets',
        {
          name: client.client_name,
          snippets: snippets.map(({ id, name }) => ({
            name,
            url: `${desk.url(url(client, '/snippets'))}?for=${id}`,
            current: id === current.id,
          })),
          current,
          back: desk.url(url(client)),
          edit_url: desk.url(url(client, '/edit')),
        },
        { title: ['console.title.snippets', { name: client.client_name }] },
      );
    });

  async function showEdit(visit: Visit, client: Client, page: Partial<FormPage> & { values: Values }): Promise<void> {
    const offers = kind === 'app' && !page.checked ? await appOffers(needs) : {};
    await showForm(desk, visit, {
      title: ['console.title.client_edit', { name: client.client_name }],
      action: desk.url(url(client, '/edit')),
      back: desk.url(url(client)),
      submit: 'console.submit.save',
      groups: withOffers(groupsFor(client.type, true), offers),
      check: desk.url(url(client, '/edit/check')),
      ...page,
    });
  }

  desk.get(
    `${at}/edit`,
    async (visit) => {
      const client = await clientAt(visit);
      const { version, ...draft } = desk.draft(visit, url(client, '/edit'));
      const values = { ...clientValues(client, groupsFor(client.type, true)), ...draft };
      await showEdit(visit, client, { values, version: version ? Number(version) : client.version });
    },
    { strong: true },
  );
  // Of any kind: which one it is shows when the form is there.
  const keep = [...new Set(shelf.types.flatMap((type) => keptOf(groupsFor(type, true))))];
  desk.post(
    `${at}/edit`,
    async (visit) => {
      const client = await clientAt(visit);
      const groups = groupsFor(client.type, true);
      const values = valuesOf(visit.ctx, groups, clientValues(client, groups));
      const version = versionOf(visit.ctx);
      const tried = await trySaving(groups, () =>
        apps.update(principalOf(visit), kind, client.id, toChange(values, groups), version),
      );
      if ('stale' in tried) {
        const now = await apps.get(kind, client.id);
        return showEdit(visit, now, { values, version: now.version, overtaken: clientValues(now, groups) });
      }
      if ('wrong' in tried) return showEdit(visit, client, { values, version, wrong: tried.wrong });
      desk.done(visit, url(client), 'client_saved', { name: tried.saved.client_name });
    },
    { strong: true, back: `${at}/edit`, keep },
  );

  desk.post(`${at}/edit/check`, async (visit) => {
    const client = await clientAt(visit);
    const groups = groupsFor(client.type, true);
    const values = valuesOf(visit.ctx, groups, clientValues(client, groups));
    const by = principalOf(visit);
    const draft = (tried: Values) => apps.draftChange(by, kind, client.id, toChange(tried, groups));
    const found = await lookAt(visit.ctx, groups, values, { draft, warnings, type: client.type, id: client.id });
    await showEdit(visit, client, { values, version: versionOf(visit.ctx), ...found });
  });

  addSecrets(desk, shelf, needs);

  desk.get(
    `${at}/delete`,
    async (visit) => {
      const client = await clientAt(visit);
      await showConfirmation(desk, visit, {
        id: `${place}_delete`,
        name: client.client_name,
        detail: client.id,
        action: desk.url(url(client, '/delete')),
        back: desk.url(url(client)),
        danger: true,
      });
    },
    { strong: true },
  );
  desk.post(
    `${at}/delete`,
    async (visit) => {
      const client = await clientAt(visit);
      await apps.remove(principalOf(visit), kind, client.id);
      desk.done(visit, `/${place}`, 'client_deleted', { name: client.client_name });
    },
    { strong: true, back: `${at}/delete` },
  );
}
