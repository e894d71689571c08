import type { TFunction } from 'i18next';
import type { Audit } from '../../audit/audit.ts';
import { isOwnPage } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { Consent } from '../../consents/consent.ts';
import { notFound } from '../../kernel/errors.ts';
import { displayHost, initiateLoginUrl } from '../../kernel/urls.ts';
import type { Connection, Connections } from '../../oidc/connections.ts';
import { datesFor } from '../dates.ts';
import type { Section, Visit } from '../section.ts';
import { scopeOfClaim } from '../../oidc/asked-claims.ts';

interface Needs {
  connections: Connections;
  audit: Pick<Audit, 'record'>;
  clients: {
    find(id: string): Promise<Client | undefined>;
    findByResource(resource: string): Promise<Client | undefined>;
  };
  base: string;
  issuer: string;
}

/** In words, as on the page where it was allowed. */
const PLAIN = ['profile', 'email', 'phone', 'address', 'roles', 'permissions', 'groups', 'offline_access'];

/** Apps that act in the person's name. */
/** Whether the person allowed a scope, or single claims of it. */
const isAllowed = (consent: Consent | undefined, scope: string): boolean =>
  consent !== undefined &&
  (consent.scopes.includes(scope) || (consent.claims ?? []).some((name) => scopeOfClaim(name) === scope));

export function appsSection({ connections, clients, audit, base, issuer }: Needs): Section {
  const idOf = ({ ctx }: Visit) => String((ctx as unknown as { params: { id: string } }).params.id);

  async function apiNames({ resources }: Consent): Promise<[name: string, scopes: string][]> {
    const named = Object.entries(resources).map(async ([resource, scopes]): Promise<[string, string]> => {
      const api = await clients.findByResource(resource);
      return [api?.client_name ?? resource, scopes.join(', ')];
    });
    return Promise.all(named);
  }

  async function shown(connection: Connection, { account }: Visit) {
    const { client_id, consent } = connection;
    const client = await clients.find(client_id);
    const apis = consent ? await apiNames(consent) : [];
    return (t: TFunction, tag: string) => {
      const dates = datesFor(tag, account);
      const scopes = PLAIN.filter((scope) => isAllowed(consent, scope)).map((scope) => t(`scope.${scope}.title`));
      const name = client?.client_name ?? client_id;
      return {
        id: client_id,
        name,
        logo: client?.logo_uri ? `${base}/logos/${client_id}` : null,
        open_url: client?.initiate_login_uri ? initiateLoginUrl(client.initiate_login_uri, issuer) : null,
        host: displayHost(client?.client_uri ?? client?.redirect_uris[0]),
        own: consent === undefined,
        sees: [...scopes, ...apis.map(([api, words]) => t('portal.apps.api', { api, scopes: words || '-' }))],
        since: dates.day(connection.since),
        last_used: dates.moment(connection.last_used),
      };
    };
  }

  return {
    id: 'apps',
    group: 'access',
    path: '/apps',
    add(desk) {
      desk.get('/apps', async (visit) => {
        const found = (await connections.list(visit.account.id)).filter(({ client_id }) => !isOwnPage(client_id));
        const all = await Promise.all(found.map((connection) => shown(connection, visit)));
        await desk.show(visit, 'apps', (t, { tag }) => ({
          apps: all.map((show) => show(t, tag)),
          action: desk.url('/apps'),
        }));
      });
      desk.post('/apps/:id/withdraw', async (visit) => {
        const id = idOf(visit);
        const client = await clients.find(id);
        if (isOwnPage(id) || !(await connections.end(visit.account.id, id)))
          throw notFound('This app has nothing of yours.');
        await audit.record('app_withdrawn', visit.account.id, { detail: { client_id: id } });
        desk.done(visit, '/apps', 'app_withdrawn', { app: client?.client_name ?? id });
      });
    },
  };
}
