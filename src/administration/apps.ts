/** Apps and APIs, as admins handle them. The rules of registration are in `clients/`; here is who may do what to which. */
import type { Audit } from '../audit/audit.ts';
import { isBuiltIn, publicClient } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import type { ClientChange, Clients, NewClient, Registered } from '../clients/clients.ts';
import { conflict, forbidden, notFound } from '../kernel/errors.ts';
import type { Page } from '../kernel/paging.ts';
import { mark } from '../kernel/search.ts';
import type { Search } from '../kernel/search.ts';
import type { Principal } from './principal.ts';
import { isAdminScope } from './scopes.ts';

/** Apps sign people in or act for themselves; APIs accept tokens. */
export type Kind = 'app' | 'api';

export interface Apps {
  list(kind: Kind, search: Search): Promise<Page<Client>>;
  /** @throws not_found, also for one of the other kind. */
  get(kind: Kind, id: string): Promise<Client>;
  /** @throws invalid_input naming the field, forbidden when it would get more than whoever registers it has. */
  register(by: Principal, input: NewClient): Promise<Registered>;
  /** @param version that the admin has seen. @throws not_found, invalid_input, forbidden, conflict for a built-in one, stale. */
  update(by: Principal, kind: Kind, id: string, change: ClientChange, version?: number): Promise<Client>;
  rotateSecret(by: Principal, kind: Kind, id: string): Promise<Registered>;
  /** @throws not_found, forbidden, conflict for a built-in one. */
  remove(by: Principal, kind: Kind, id: string): Promise<void>;
}

const of = (id: string) => ({ kind: 'client' as const, id });

const API = mark('type', 'api');

export const kindOf = ({ type }: Pick<Client, 'type'>): Kind => (type === 'api' ? 'api' : 'app');

/** Nobody hands out more than they have, and who holds the secret of an app has what the app has. */
function mustHaveAll(by: Principal, scope: string | null | undefined, why: string): void {
  const missing = (scope ?? '').split(' ').find((name) => isAdminScope(name) && !by.may(name));
  if (missing !== undefined) throw forbidden(`${why} the scope ${missing}, which you do not have yourself`);
}

const VALUE_MAX = 300;
const inShort = (value: unknown): string => (JSON.stringify(value) ?? 'null').slice(0, VALUE_MAX);

/** What changed, before and after: nothing of it is secret, for secrets are not among what is told of a client. */
function difference(before: Client, after: Client): Record<string, string> {
  const [old, now]: Record<string, unknown>[] = [publicClient(before), publicClient(after)];
  const names = Object.keys({ ...old, ...now }).filter((name) => name !== 'updated_at' && name !== 'version');
  const changed = names.filter((name) => inShort(old![name]) !== inShort(now![name]));
  return Object.fromEntries(changed.map((name) => [name, `${inShort(old![name])} → ${inShort(now![name])}`]));
}

interface Needs {
  clients: Clients;
  audit: Pick<Audit, 'act'>;
}

export function createApps({ clients, audit }: Needs): Apps {
  async function get(kind: Kind, id: string): Promise<Client> {
    const client = await clients.find(id);
    if (!client || kindOf(client) !== kind) throw notFound(`no ${kind === 'api' ? 'API' : 'app'} has the id ${id}`);
    return client;
  }

  async function getToChange(by: Principal, kind: Kind, id: string): Promise<Client> {
    const client = await get(kind, id);
    if (isBuiltIn(id) && by.kind !== 'operator') throw conflict(`${id} is part of Gatehouse and is registered by it`);
    if (kind === 'app') mustHaveAll(by, client.scope, 'the app has');
    return client;
  }

  return {
    list: (kind, search) => clients.search({ ...search, ...(kind === 'app' ? { not: [API] } : { having: [API] }) }),
    get,
    async register(by, input) {
      if (kindOf(input) === 'app') mustHaveAll(by, input.scope, 'the app would get');
      // An API may be named by its client id too.
      const named = input.default_resource?.startsWith('api_') ? await clients.get(input.default_resource) : undefined;
      const registered = await clients.register({
        ...input,
        default_resource: named?.resource ?? input.default_resource,
      });
      const { id, type, scope, redirect_uris } = registered.client;
      await audit.act('client_registered', of(id), {
        type,
        scope: inShort(scope),
        redirect_uris: inShort(redirect_uris),
      });
      return registered;
    },
    async update(by, kind, id, change, version) {
      const before = await getToChange(by, kind, id);
      if (kind === 'app') mustHaveAll(by, change.scope, 'the app would get');
      const after = await clients.update(id, change, version);
      await audit.act('client_changed', of(id), difference(before, after));
      return after;
    },
    async rotateSecret(by, kind, id) {
      await getToChange(by, kind, id);
      const registered = await clients.rotateSecret(id);
      await audit.act('client_secret_rotated', of(id));
      return registered;
    },
    async remove(by, kind, id) {
      await getToChange(by, kind, id);
      await clients.delete(id);
      await audit.act('client_deleted', of(id));
    },
  };
}
