/** Apps and APIs, as admins handle them. The rules of registration are in `clients/`; here is who may do what to which. */
import type { Audit } from '../audit/audit.ts';
import { isBuiltIn, publicClient } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { mustBe } from '../clients/clients.ts';
import type { ClientChange, Clients, NewClient, Registered, Rotation, SecretLife } from '../clients/clients.ts';
import { factsOf } from '../clients/secrets.ts';
import type { SecretFacts } from '../clients/secrets.ts';
import { conflict, forbidden, invalidInput, notFound } from '../kernel/errors.ts';
import type { Page } from '../kernel/paging.ts';
import { mark } from '../kernel/search.ts';
import type { Search } from '../kernel/search.ts';
import { difference, inShort } from './difference.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';
import { isAdminScope } from './scopes.ts';

/** Apps sign people in or act for themselves; APIs accept tokens. */
export type Kind = 'app' | 'api';

export interface Apps {
  list(kind: Kind, search: Search): Promise<Page<Client>>;
  /** @throws not_found, also for one of the other kind. */
  get(kind: Kind, id: string): Promise<Client>;
  /** @throws invalid_input naming the field, forbidden when it would get more than whoever registers it has. */
  register(by: Principal, input: NewClient, chosen?: Chosen): Promise<Registered>;
  /** What registering would keep, with all its checks. */
  draft(by: Principal, input: NewClient, id?: string): Promise<Client>;
  /** What changing would keep, with all its checks. */
  draftChange(by: Principal, kind: Kind, id: string, change: ClientChange): Promise<Client>;
  /** @param version that the admin has seen. @throws not_found, invalid_input, forbidden, conflict for a built-in one, stale. */
  update(by: Principal, kind: Kind, id: string, change: ClientChange, version?: number): Promise<Client>;
  /** The secret before goes on for `overlap` seconds, a day unless said. @throws the same, and invalid_input. */
  rotateSecret(by: Principal, kind: Kind, id: string, options?: Rotation, version?: number): Promise<Registered>;
  /** One more beside the one there is. @throws the same, and conflict where two are in force. */
  addSecret(by: Principal, kind: Kind, id: string, options?: SecretLife, version?: number): Promise<Registered>;
  /** Ends one at once. @throws not_found, forbidden, conflict for a built-in one, stale. */
  revokeSecret(by: Principal, kind: Kind, id: string, secretId: string, version?: number): Promise<Client>;
  /** @throws as update. */
  setSecret(by: Principal, kind: Kind, id: string, secret: string, version?: number): Promise<Client>;
  /** @param version that the admin has seen. @throws not_found, forbidden, conflict for a built-in one, stale. */
  remove(by: Principal, kind: Kind, id: string, version?: number): Promise<void>;
}

/** What whoever registers a client may choose rather than have drawn. */
export interface Chosen {
  id?: string | undefined;
  secret?: string | undefined;
}

const of = (id: string) => ({ kind: 'client' as const, id });

const API = mark('type', 'api');

export const kindOf = ({ type }: Pick<Client, 'type'>): Kind => (type === 'api' ? 'api' : 'app');

/** Nobody hands out more than they have, and who holds the secret of an app has what the app has. */
function mustHaveAll(by: Principal, scope: string | null | undefined, why: string): void {
  const missing = (scope ?? '').split(' ').find((name) => isAdminScope(name) && !by.may(name));
  if (missing !== undefined) throw forbidden(`${why} the scope ${missing}, which you do not have yourself`);
}

/** Whoever's word is taken for who somebody is can be anybody, without them: an admin too. */
function mayTrust(by: Principal, wanted: Trusted, before?: Trusted): void {
  if (wanted === undefined || wanted === null || JSON.stringify(wanted) === JSON.stringify(before)) return;
  if (wanted.some(({ subject }) => subject !== 'client'))
    mustHave(by, 'admins:write', 'statements that jwt_bearer takes about people stand in for their sign-in');
}

const aboutSecret = ({ id, expires_at }: SecretFacts) => ({
  secret_id: id,
  ...(expires_at === null ? {} : { expires_at }),
});
const endOf = (before: SecretFacts | undefined): Record<string, string> =>
  before?.expires_at ? { former_secret_until: before.expires_at } : {};

/** Of ids that are chosen: fit for addresses, logs and command lines. */
const ID = /^[A-Za-z\d][\w.~-]{0,99}$/;

function checkId(id: string): void {
  if (isBuiltIn(id)) throw conflict(`${id} is part of Gatehouse and is registered by it`);
  if (!ID.test(id))
    throw invalidInput('client_id must have letters, digits and . _ ~ - only, 100 at most', 'client_id');
}

type Trusted = NonNullable<ClientChange['protocol']>['jwt_bearer'];

/** Ends what would keep a client, when all that speaks against it was asked. */
class Drafted extends Error {}

async function drafted(work: (accept: (client: Client) => Promise<void>) => Promise<unknown>): Promise<Client> {
  let seen: Client | undefined;
  const end = new Drafted();
  try {
    await work(async (client) => {
      seen = client;
      throw end;
    });
  } catch (error) {
    if (error !== end) throw error;
  }
  return seen!;
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

  function mayChange(by: Principal, before: Client, { scope, protocol }: ClientChange): void {
    if (kindOf(before) === 'app') mustHaveAll(by, scope, 'the app would get');
    mayTrust(by, protocol?.jwt_bearer, before.protocol?.jwt_bearer);
  }

  async function inputOf(by: Principal, input: NewClient): Promise<NewClient> {
    if (kindOf(input) === 'app') mustHaveAll(by, input.scope, 'the app would get');
    mayTrust(by, input.protocol?.jwt_bearer);
    // An API may be named by its client id too.
    const named = input.default_resource?.startsWith('api_') ? await clients.get(input.default_resource) : undefined;
    return { ...input, default_resource: named?.resource ?? input.default_resource };
  }

  return {
    list: (kind, search) => clients.search({ ...search, ...(kind === 'app' ? { not: [API] } : { having: [API] }) }),
    get,
    async register(by, input, { id: chosen, secret } = {}) {
      if (chosen !== undefined) checkId(chosen);
      const registered = await clients.register(await inputOf(by, input), chosen, undefined, secret);
      const { id, type, scope, redirect_uris } = registered.client;
      await audit.act('client_registered', of(id), {
        type,
        scope: inShort(scope),
        redirect_uris: inShort(redirect_uris),
      });
      return registered;
    },
    async draft(by, input, id) {
      if (id !== undefined) checkId(id);
      const checked = await inputOf(by, input);
      return drafted((accept) => clients.register(checked, id, accept));
    },
    async draftChange(by, kind, id, change) {
      const before = await getToChange(by, kind, id);
      mayChange(by, before, change);
      return drafted((accept) => clients.update(id, change, undefined, accept));
    },
    async update(by, kind, id, change, version) {
      const before = await getToChange(by, kind, id);
      mayChange(by, before, change);
      const after = await clients.update(id, change, version);
      await audit.act('client_changed', of(id), difference(publicClient(before), publicClient(after)));
      return after;
    },
    async rotateSecret(by, kind, id, options, version) {
      await getToChange(by, kind, id);
      const registered = await clients.rotateSecret(id, options, version);
      const [made, before] = factsOf(registered.client);
      await audit.act('client_secret_rotated', of(id), { ...aboutSecret(made!), ...endOf(before) });
      return registered;
    },
    async addSecret(by, kind, id, options, version) {
      await getToChange(by, kind, id);
      const registered = await clients.addSecret(id, options, version);
      await audit.act('client_secret_added', of(id), aboutSecret(factsOf(registered.client)[0]!));
      return registered;
    },
    async revokeSecret(by, kind, id, secretId, version) {
      await getToChange(by, kind, id);
      const client = await clients.revokeSecret(id, secretId, version);
      await audit.act('client_secret_revoked', of(id), { secret_id: secretId });
      return client;
    },
    async setSecret(by, kind, id, secret, version) {
      await getToChange(by, kind, id);
      const client = await clients.setSecret(id, secret, version);
      await audit.act('client_secret_rotated', of(id));
      return client;
    },
    async remove(by, kind, id, version) {
      mustBe(await getToChange(by, kind, id), version);
      if (!(await clients.delete(id, version))) throw notFound(`no client has the id ${id}`);
      await audit.act('client_deleted', of(id));
    },
  };
}
