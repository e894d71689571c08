/** Apps and APIs. */
import { z } from 'zod';
import type { AdminScope } from '../../administration/scopes.ts';
import { looksOf } from '../../administration/app-warnings.ts';
import type { ToldWarning } from '../../administration/app-warnings.ts';
import type { Kind } from '../../administration/apps.ts';
import { publicClient } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { NewClient, Registered } from '../../clients/clients.ts';
import { mark } from '../../kernel/search.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import * as shapes from '../schemas.ts';

const params = z.strictObject({ client_id: z.string().max(200) });
const one = (client: Client) => ({ body: publicClient(client), version: client.version });

/** The one answer that holds the secret. */
const withSecret = ({ client, client_secret }: Registered) => ({
  body: { ...publicClient(client), client_secret },
  version: client.version,
});

/** The rooms call it `name`, the standards `client_name`. */
const fieldNames = { name: 'client_name' };
const NAMES: Record<string, string> = { client_name: 'name' };
export function renamed(body: object): Partial<NewClient> {
  const own: Record<string, unknown> = {};
  const protocol: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body) as [string, unknown][]) {
    if (shapes.PROTOCOL_FIELDS.includes(name)) protocol[name] = value;
    else own[NAMES[name] ?? name] = value;
  }
  return { ...own, ...(Object.keys(protocol).length > 0 ? { protocol } : {}) };
}

/** By the name that the field has here. */
const shownWarnings = (found: ToldWarning[]) =>
  found.map(({ field, ...warning }) => ({ ...warning, field: field === 'name' ? 'client_name' : field }));

interface Shape {
  kind: Kind;
  tag: string;
  path: string;
  /** In ids of operations. */
  noun: string;
  /** For people. */
  a: string;
  scopes: { read: AdminScope; write: AdminScope };
  list: z.ZodType;
  shape: z.ZodType;
  registered: z.ZodType;
  changed: z.ZodType;
  withSecret: z.ZodType;
  create: z.ZodType;
  change: z.ZodType;
}

/** Apps and APIs are records of one kind with different fields. */
function routesOf({ kind, tag, path, noun, a, scopes, ...schemas }: Shape): Route[] {
  const single = `${path}/{client_id}`;
  const types = kind === 'app' ? { type: z.enum(['web', 'spa', 'native', 'service']).optional() } : {};
  return [
    route({
      id: `list${noun}s`,
      method: 'GET',
      path,
      scope: scopes.read,
      tag,
      summary: `All of them, oldest first; those that are searched for, in the order of the words that were found`,
      query: z.strictObject({ ...shapes.page, search: shapes.search, ...types }),
      answer: { status: 200, schema: schemas.list },
      async run({ apps }, { query }) {
        const { type, search, ...page } = query as { type?: string; search?: string };
        const having = type === undefined ? [] : [mark('type', type)];
        const { items, next } = await apps.list(kind, { ...page, text: search, having });
        return { body: { items: items.map(publicClient), next } };
      },
    }),
    route({
      id: `create${noun}`,
      method: 'POST',
      path,
      scope: scopes.write,
      tag,
      summary: `Register ${a}; its secret is told this once`,
      body: schemas.create,
      idempotent: true,
      fieldNames,
      answer: { status: 201, schema: schemas.registered },
      async run({ apps, warnings }, { by, body }) {
        const registered = await apps.register(by, { type: 'api', ...renamed(body as object) } as NewClient);
        const { body: told, version } = withSecret(registered);
        const found = shownWarnings(await warnings.toldOf(by, registered.client));
        return { body: { ...told, warnings: found }, version, location: `${path}/${registered.client.id}` };
      },
    }),
    route({
      id: `check${noun}`,
      method: 'POST',
      path: `${path}/check`,
      scope: scopes.write,
      tag,
      summary: `What registering ${a} would say, by the same rules; nothing is kept`,
      body: schemas.create,
      fieldNames,
      answer: { status: 200, schema: shapes.checkedClient },
      async run({ apps, warnings }, { by, body }) {
        const draft = await apps.draft(by, { type: 'api', ...renamed(body as object) } as NewClient);
        return { body: { warnings: shownWarnings(await warnings.told(by, looksOf(draft))) } };
      },
    }),
    route({
      id: `get${noun}`,
      method: 'GET',
      path: single,
      scope: scopes.read,
      tag,
      summary: 'All about one but its secret',
      params,
      answer: { status: 200, schema: schemas.shape },
      run: async ({ apps }, { params: { client_id } }) => one(await apps.get(kind, client_id)),
    }),
    route({
      id: `change${noun}`,
      method: 'PATCH',
      path: single,
      scope: scopes.write,
      tag,
      summary: 'Change what is named',
      params,
      body: schemas.change,
      ifMatch: 'demanded',
      fieldNames,
      answer: { status: 200, schema: schemas.changed },
      async run({ apps, warnings }, { by, params: { client_id }, body, version }) {
        const changed = await apps.update(by, kind, client_id, renamed(body as object), version);
        const found = shownWarnings(await warnings.toldOf(by, changed));
        return { body: { ...publicClient(changed), warnings: found }, version: changed.version };
      },
    }),
    route({
      id: `check${noun}Change`,
      method: 'POST',
      path: `${single}/check`,
      scope: scopes.write,
      tag,
      summary: 'What changing it so would say, by the same rules; nothing is kept',
      params,
      body: schemas.change,
      fieldNames,
      answer: { status: 200, schema: shapes.checkedClient },
      async run({ apps, warnings }, { by, params: { client_id }, body }) {
        const draft = await apps.draftChange(by, kind, client_id, renamed(body as object));
        return { body: { warnings: shownWarnings(await warnings.told(by, looksOf(draft))) } };
      },
    }),
    route({
      id: `delete${noun}`,
      method: 'DELETE',
      path: single,
      scope: scopes.write,
      tag,
      summary: `Remove ${a}; its tokens stop working`,
      params,
      ifMatch: 'heeded',
      answer: { status: 204 },
      async run({ apps }, { by, params: { client_id }, version }) {
        await apps.remove(by, kind, client_id, version);
        return {};
      },
    }),
    route({
      id: `rotate${noun}Secret`,
      method: 'POST',
      path: `${single}/rotate-secret`,
      scope: scopes.write,
      tag,
      summary: 'A new secret, told this once; the one before goes on for a day, or as long as is said',
      params,
      body: shapes.rotation,
      ifMatch: 'heeded',
      answer: { status: 200, schema: schemas.withSecret },
      run: async ({ apps }, { by, params: { client_id }, body, version }) =>
        withSecret(await apps.rotateSecret(by, kind, client_id, body, version)),
    }),
    route({
      id: `add${noun}Secret`,
      method: 'POST',
      path: `${single}/secrets`,
      scope: scopes.write,
      tag,
      summary: 'One more secret, told this once; two at most are in force',
      params,
      body: shapes.secretLife,
      ifMatch: 'heeded',
      answer: { status: 201, schema: schemas.withSecret },
      run: async ({ apps }, { by, params: { client_id }, body, version }) =>
        withSecret(await apps.addSecret(by, kind, client_id, body, version)),
    }),
    route({
      id: `revoke${noun}Secret`,
      method: 'DELETE',
      path: `${single}/secrets/{secret_id}`,
      scope: scopes.write,
      tag,
      summary: 'End one secret at once',
      params: params.extend({ secret_id: z.string().max(200) }),
      ifMatch: 'heeded',
      answer: { status: 200, schema: schemas.shape },
      run: async ({ apps }, { by, params: { client_id, secret_id }, version }) =>
        one(await apps.revokeSecret(by, kind, client_id, secret_id, version)),
    }),
  ];
}

export const clientRoutes = routesOf({
  kind: 'app',
  tag: 'Apps',
  path: '/clients',
  noun: 'Client',
  a: 'an app',
  scopes: { read: 'clients:read', write: 'clients:write' },
  list: shapes.listOf('ClientList', shapes.client),
  shape: shapes.client,
  registered: shapes.registeredClient,
  changed: shapes.changedClient,
  withSecret: shapes.clientWithSecret,
  create: shapes.newClient,
  change: shapes.clientChange,
});

export const apiRoutes = routesOf({
  kind: 'api',
  tag: 'APIs',
  path: '/apis',
  noun: 'Api',
  a: 'an API',
  scopes: { read: 'apis:read', write: 'apis:write' },
  list: shapes.listOf('ApiList', shapes.api),
  shape: shapes.api,
  registered: shapes.registeredApi,
  changed: shapes.changedApi,
  withSecret: shapes.apiWithSecret,
  create: shapes.newApi,
  change: shapes.apiChange,
});
