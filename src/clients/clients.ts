/** The use cases of clients: the same functions serve the command line and, where it is enabled, the playground. */
import { conflict, invalidInput, isGatehouseError, notFound, stale } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import { newId, newSecret } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import { LIFETIME } from './api-settings.ts';
import type { Bounds } from './app-settings.ts';
import { checkClient } from './check.ts';
import type { Available } from './check.ts';
import { authMethod } from './client.ts';
import type { Client } from './client.ts';
import { settingsOf, toInput, withoutNothing } from './input.ts';
import type { ClientChange, NewClient } from './input.ts';
import { AUTH_METHODS, GRANT_TYPES, hasSecret, needsPlainSecret, SIGNED_WITH } from './protocol.ts';
import type { AuthMethod, ProtocolMetadata, SignedWith } from './protocol.ts';
import { hashSecret, secretMatches, secretProblem } from './secret.ts';
import { keeping, liveSecretsOf, madeSecret, rotated, withOneMore, without } from './secrets.ts';
import type { KeptSecret } from './secrets.ts';
import type { ClientStore } from './store.ts';

const UPDATE_ATTEMPTS = 5;

export type { ClientChange, NewClient } from './input.ts';

/** A client and, only in the answer that made it, its secret. */
export interface Registered {
  client: Client;
  client_secret: string | undefined;
}

/** How long a secret is good for, in seconds; undefined until it is replaced. */
export interface SecretLife {
  expires_in?: number | undefined;
}

/** @see Clients.rotateSecret */
export interface Rotation extends SecretLife {
  /** Seconds. */
  overlap?: number | undefined;
}

type Accept = (client: Client) => Promise<void>;

export interface Clients {
  /**
   * @param accept called with the client as it would be kept; it throws where something else speaks against it.
   * @param secret one that was chosen, in place of one that is drawn.
   * @throws invalid_input naming the field, and what `accept` throws.
   */
  register(input: NewClient, id?: string, accept?: Accept, secret?: string): Promise<Registered>;
  /** A client without a secret as `register` would make it, which is not kept. @throws invalid_input naming the field. */
  draft(input: NewClient, id: string): Promise<Client>;
  /** Puts it in the place of the one with its id, if there is one. */
  keep(client: Client): Promise<void>;
  /** @throws not_found. */
  get(id: string): Promise<Client>;
  find(id: string): Promise<Client | undefined>;
  findByResource(resource: string): Promise<Client | undefined>;
  list(page: PageRequest): Promise<Page<Client>>;
  search(search: Search): Promise<Page<Client>>;
  /**
   * Changes what is named, and checks the whole as at registration. Type and, of an API, identifier stay.
   * @param version that the admin has seen; undefined is any.
   * @throws not_found, invalid_input naming the field, stale when it is another version by now, and what `accept` throws.
   */
  update(id: string, change: ClientChange, version?: number, accept?: Accept): Promise<Client>;
  /**
   * Gives it a secret that was chosen; the one before goes on for a day.
   * @throws not_found, invalid_input for public clients and secrets that can be guessed, stale when it is another version by now.
   */
  setSecret(id: string, secret: string, version?: number): Promise<Client>;
  /** Whether this is its newest secret. */
  holdsSecret(client: Client, secret: string): boolean;
  /**
   * Makes another secret the newest; the one before goes on for `overlap` seconds, a day unless said.
   * @param version that the admin has seen; undefined is any.
   * @throws not_found, invalid_input for clients that have none, or naming the field, stale when it is another version by now.
   */
  rotateSecret(id: string, options?: Rotation, version?: number): Promise<Registered>;
  /** Makes one beside the one there is. @throws the same, and conflict where two are in force. */
  addSecret(id: string, options?: SecretLife, version?: number): Promise<Registered>;
  /** Ends one at once. @throws not_found, stale. */
  revokeSecret(id: string, secretId: string, version?: number): Promise<Client>;
  /** @param version that is to go; undefined is any. @returns whether there was one. @throws stale. */
  delete(id: string, version?: number): Promise<boolean>;
}

interface Needs {
  store: ClientStore;
  /** Names of the upstream providers there are now. */
  providers?: () => string[];
  /** Names of the themes there are. */
  themes?: string[];
  /** `acr` values that sign-ins can reach. */
  acrValues?: string[];
  /** How clients can prove themselves here; all ways unless said. */
  authMethods?: AuthMethod[];
  /** What there are signing keys for. */
  signedWith?: readonly SignedWith[];
  /** How long tokens may live; what the schema allows at most unless said. */
  bounds?: Bounds;
  /** Grants that are switched on; all unless said. */
  grants?: readonly string[];
  /** Encrypts a secret for the client with this id. */
  seal?: (secret: string, clientId: string) => string;
  /** The reverse of it. */
  openSecret?: (clientId: string, sealed: string) => string;
  /** What people allowed a client goes with it. */
  consents: { deleteByClient(clientId: string): Promise<void> };
}

/** @throws stale where it is not the version any more that somebody has seen. */
export function mustBe({ id, version: now }: Client, version: number | undefined): void {
  if (version !== undefined && now !== version) throw stale(`the client ${id} was changed meanwhile`);
}

function checkSecret(id: string, method: AuthMethod, secret: string): void {
  if (!hasSecret(method)) throw invalidInput(`${id} proves itself by ${method}: it has no secret`, 'client_secret');
  const problem = secretProblem(secret);
  if (problem) throw invalidInput(`the secret of ${id} ${problem}`, 'client_secret');
}

const isKeptAlike = (one: AuthMethod, other: AuthMethod): boolean =>
  hasSecret(one) && hasSecret(other) && needsPlainSecret(one) === needsPlainSecret(other);

/** What is kept of a secret: its hash, or where it must be read again the encrypted secret. */
function kept(method: AuthMethod, secret: string, id: string, seal: Needs['seal']) {
  if (!needsPlainSecret(method)) return { hash: hashSecret(secret), sealed: null };
  if (!seal) throw invalidInput(`${method} is not available here`, 'token_endpoint_auth_method');
  return { hash: null, sealed: seal(secret, id) };
}

function made(
  id: string,
  input: NewClient,
  protocol: ProtocolMetadata | undefined,
  secrets: ReturnType<typeof keeping>,
): Client {
  const now = isoNow();
  return {
    id,
    type: input.type,
    ...settingsOf(input),
    resource: input.type === 'api' ? (input.resource ?? `urn:gatehouse:api:${id}`) : null,
    ...(protocol ? { protocol } : {}),
    ...secrets,
    created_at: now,
    updated_at: now,
    version: 1,
  };
}

export function createClients({
  store,
  consents,
  seal,
  openSecret,
  authMethods = [...AUTH_METHODS],
  signedWith = SIGNED_WITH,
  grants = GRANT_TYPES,
  providers = () => [],
  themes = [],
  acrValues = [],
  bounds = { token: LIFETIME.max, refresh: 2_592_000 },
}: Needs): Clients {
  async function get(id: string): Promise<Client> {
    const client = await store.find(id);
    if (!client) throw notFound(`no client has the id ${id}`);
    return client;
  }

  const available: Available = {
    get providers() {
      return providers();
    },
    themes,
    acrValues,
    authMethods,
    signedWith,
    bounds,
    grants,
    findByResource: (resource) => store.findByResource(resource),
  };
  const check = (input: NewClient, before?: Client) => checkClient(input, available, before);

  /** Applies `apply` to the newest version, again when somebody else was faster. */
  async function change(id: string, apply: (client: Client) => Promise<Client> | Client): Promise<Client> {
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt += 1) {
      const next = await apply(await get(id));
      try {
        return await store.update({ ...next, updated_at: isoNow() });
      } catch (error) {
        if (!isGatehouseError(error, 'conflict')) throw error;
      }
    }
    throw conflict(`the client ${id} keeps changing; try again`);
  }

  async function withNewSecret(
    id: string,
    expiresIn: number | undefined,
    version: number | undefined,
    join: (client: Client, made: KeptSecret) => KeptSecret[],
  ): Promise<Registered> {
    const client_secret = newSecret();
    const client = await change(id, (current) => {
      mustBe(current, version);
      const method = authMethod(current);
      if (!hasSecret(method)) throw invalidInput(`${id} proves itself by ${method}: it has no secret`, 'client_id');
      const made = madeSecret(client_secret, kept(method, client_secret, id, seal), expiresIn);
      return { ...current, ...keeping(join(current, made)) };
    });
    return { client, client_secret };
  }

  return {
    async register(input, id = newId(input.type === 'api' ? 'api_' : 'app_'), accept = async () => undefined, secret) {
      const { protocol, method } = await check(input);
      if (secret !== undefined) checkSecret(id, method, secret);
      const client_secret = hasSecret(method) ? (secret ?? newSecret()) : undefined;
      const secrets =
        client_secret === undefined ? [] : [madeSecret(client_secret, kept(method, client_secret, id, seal))];
      const client = made(id, input, protocol, keeping(secrets));
      await accept(client);
      await store.insert(client);
      return { client, client_secret };
    },

    async draft(input, id) {
      const { protocol, method } = await check(input);
      if (hasSecret(method)) throw invalidInput(`${method} needs a secret`, 'token_endpoint_auth_method');
      return made(id, input, protocol, keeping([]));
    },

    async keep(client) {
      try {
        await store.insert(client);
      } catch (error) {
        if (!isGatehouseError(error, 'duplicate')) throw error;
        await change(client.id, ({ created_at, version }) => ({ ...client, created_at, version }));
      }
    },

    get,
    find: (id) => store.find(id),
    findByResource: (resource) => store.findByResource(resource),
    list: (page) => store.list(page),
    search: (search) => store.search(search),

    update: (id, what, version, accept = async () => undefined) =>
      change(id, async (client) => {
        mustBe(client, version);
        const { protocol: changed, ...others } = what;
        const named = Object.entries(others).filter(([, value]) => value !== undefined);
        const next = {
          ...withoutNothing({ ...toInput(client), ...Object.fromEntries(named) }),
          ...(changed || client.protocol ? { protocol: withoutNothing({ ...client.protocol, ...changed }) } : {}),
        } as NewClient;
        const { protocol, method } = await check({ ...next, name: next.name ?? '' }, client);
        // A secret is kept in the way its method needs; one of another method is no good any more.
        const dropped = method === authMethod(client) || isKeptAlike(method, authMethod(client)) ? {} : keeping([]);
        const after: Client = {
          ...client,
          ...settingsOf(next),
          ...(protocol || client.protocol ? { protocol: protocol ?? {} } : {}),
          ...dropped,
        };
        await accept(after);
        return after;
      }),

    setSecret: (id, secret, version) =>
      change(id, (client) => {
        mustBe(client, version);
        const method = authMethod(client);
        checkSecret(id, method, secret);
        return { ...client, ...keeping(rotated(client, madeSecret(secret, kept(method, secret, id, seal)))) };
      }),
    holdsSecret(client, secret) {
      const [newest] = liveSecretsOf(client);
      if (newest?.sealed) return openSecret?.(client.id, newest.sealed) === secret;
      return secretMatches(secret, newest?.hash ?? '');
    },

    rotateSecret: (id, { overlap, expires_in } = {}, version) =>
      withNewSecret(id, expires_in, version, (client, made) => rotated(client, made, overlap)),
    addSecret: (id, { expires_in } = {}, version) => withNewSecret(id, expires_in, version, withOneMore),
    revokeSecret: (id, secretId, version) =>
      change(id, (client) => {
        mustBe(client, version);
        return { ...client, ...keeping(without(client, secretId)) };
      }),

    async delete(id, version) {
      const existed = await store.delete(id, version);
      const newer = existed || version === undefined ? undefined : await store.find(id);
      if (newer) mustBe(newer, version);
      await consents.deleteByClient(id);
      return existed;
    },
  };
}
