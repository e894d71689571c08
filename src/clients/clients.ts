/** The use cases of clients: the same functions serve the command line and, where it is enabled, the playground. */
import { conflict, invalidInput, isGatehouseError, notFound, stale } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import { newId, newSecret } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import { authMethod, CLIENT_TYPES } from './client.ts';
import type { AccessTokenFormat, Client, ClientType } from './client.ts';
import { logoutProblem } from './logout-uris.ts';
import { redirectUriProblem } from './redirect-uri.ts';
import { hashSecret } from './secret.ts';
import { AUTH_METHODS, checkProtocol, hasSecret, needsPlainSecret, SIGNED_WITH } from './protocol.ts';
import type { AuthMethod, ProtocolMetadata, SignedWith } from './protocol.ts';
import type { ClientStore } from './store.ts';

const NAME_MAX = 200;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const UPDATE_ATTEMPTS = 5;

export interface NewClient {
  type: ClientType;
  name: string;
  redirect_uris?: string[];
  post_logout_redirect_uris?: string[];
  backchannel_logout_uri?: string | undefined;
  backchannel_logout_session_required?: boolean;
  frontchannel_logout_uri?: string | undefined;
  frontchannel_logout_session_required?: boolean;
  /** One or more scopes, separated by spaces. */
  scope?: string | undefined;
  first_party?: boolean;
  default_resource?: string | undefined;
  resource?: string | undefined;
  /** Of an API; `jwt` unless it says otherwise. */
  access_token_format?: AccessTokenFormat | undefined;
  always_issue_refresh_token?: boolean;
  client_uri?: string | undefined;
  logo_uri?: string | undefined;
  policy_uri?: string | undefined;
  tos_uri?: string | undefined;
  initiate_login_uri?: string | undefined;
  /** Names of upstream providers; empty is any. */
  identity_providers?: string[] | undefined;
  /** Name of a theme for the pages that are about this app. */
  theme?: string | undefined;
  /** `acr` values that its sign-ins must reach one of. */
  default_acr_values?: string[] | undefined;
  id_token_signed_response_alg?: Client['id_token_signed_response_alg'] | undefined;
  /** Names and values of RFC 7591 and the specifications that extend it, beyond those above. */
  protocol?: ProtocolMetadata | undefined;
  /** It registers itself. */
  dynamically_registered?: boolean | undefined;
}

/** A field that is absent stays, one that is null goes back to what it is without being named. */
export type ClientChange = {
  [Name in Exclude<keyof NewClient, 'type' | 'resource' | 'protocol' | 'dynamically_registered'>]?:
    NewClient[Name] | null | undefined;
} & { protocol?: { [Name in keyof ProtocolMetadata]?: ProtocolMetadata[Name] | null | undefined } | undefined };

const withoutNothing = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

/** A client and, only in the answer that made it, its secret. */
export interface Registered {
  client: Client;
  client_secret: string | undefined;
}

type Accept = (client: Client) => Promise<void>;

export interface Clients {
  /**
   * @param accept called with the client as it would be kept; it throws where something else speaks against it.
   * @throws invalid_input naming the field, and what `accept` throws.
   */
  register(input: NewClient, id?: string, accept?: Accept): Promise<Registered>;
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
  /** Replaces the secret; the old one stops working. @throws not_found, invalid_input for public clients. */
  rotateSecret(id: string): Promise<Registered>;
  /** @returns whether there was one. */
  delete(id: string): Promise<boolean>;
}

/** A client as it would be registered. */
function toInput(client: Client): NewClient {
  const { type, client_name: name, redirect_uris, post_logout_redirect_uris, first_party } = client;
  const { always_issue_refresh_token, identity_providers, default_acr_values, id_token_signed_response_alg } = client;
  return {
    type,
    name,
    redirect_uris,
    post_logout_redirect_uris,
    first_party,
    always_issue_refresh_token,
    identity_providers,
    default_acr_values,
    id_token_signed_response_alg,
    scope: client.scope ?? undefined,
    default_resource: client.default_resource ?? undefined,
    resource: client.resource ?? undefined,
    access_token_format: client.access_token_format,
    client_uri: client.client_uri ?? undefined,
    logo_uri: client.logo_uri ?? undefined,
    policy_uri: client.policy_uri ?? undefined,
    tos_uri: client.tos_uri ?? undefined,
    initiate_login_uri: client.initiate_login_uri ?? undefined,
    theme: client.theme ?? undefined,
    backchannel_logout_uri: client.backchannel_logout_uri ?? undefined,
    backchannel_logout_session_required: client.backchannel_logout_session_required ?? false,
    frontchannel_logout_uri: client.frontchannel_logout_uri ?? undefined,
    frontchannel_logout_session_required: client.frontchannel_logout_session_required ?? false,
    protocol: client.protocol,
    dynamically_registered: client.dynamically_registered,
  };
}

/** What of a client's record comes from how it was registered. */
function settingsOf(input: NewClient) {
  return {
    client_name: input.name.trim(),
    redirect_uris: input.redirect_uris ?? [],
    post_logout_redirect_uris: input.post_logout_redirect_uris ?? [],
    backchannel_logout_uri: input.backchannel_logout_uri ?? null,
    backchannel_logout_session_required: input.backchannel_logout_session_required ?? false,
    frontchannel_logout_uri: input.frontchannel_logout_uri ?? null,
    frontchannel_logout_session_required: input.frontchannel_logout_session_required ?? false,
    scope: input.scope ?? null,
    first_party: input.first_party ?? false,
    default_resource: input.default_resource ?? null,
    ...(input.type === 'api' ? { access_token_format: input.access_token_format ?? ('jwt' as const) } : {}),
    always_issue_refresh_token: input.always_issue_refresh_token ?? false,
    client_uri: input.client_uri ?? null,
    logo_uri: input.logo_uri ?? null,
    policy_uri: input.policy_uri ?? null,
    tos_uri: input.tos_uri ?? null,
    initiate_login_uri: input.initiate_login_uri ?? null,
    identity_providers: [...new Set(input.identity_providers ?? [])],
    theme: input.theme ?? null,
    default_acr_values: [...new Set(input.default_acr_values ?? [])],
    id_token_signed_response_alg:
      input.id_token_signed_response_alg ?? (input.protocol?.fapi_profile ? ('ES256' as const) : ('RS256' as const)),
    ...(input.dynamically_registered ? { dynamically_registered: true } : {}),
  };
}

const REDIRECTING = new Set<ClientType>(['web', 'spa', 'native']);
const PAGE_FIELDS = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri'] as const;

function checkRedirects(input: NewClient): void {
  const { type, redirect_uris = [], post_logout_redirect_uris = [], protocol } = input;
  const redirects =
    protocol?.grant_types?.some((grant) => grant === 'authorization_code' || grant === 'implicit') ?? true;
  if (!REDIRECTING.has(type) && redirect_uris.length > 0)
    throw invalidInput(`a client of type ${type} has no redirect URIs`, 'redirect_uris');
  if (REDIRECTING.has(type) && redirects && redirect_uris.length === 0)
    throw invalidInput(`a client of type ${type} needs a redirect URI`, 'redirect_uris');
  for (const [field, uris] of Object.entries({ redirect_uris, post_logout_redirect_uris })) {
    for (const uri of uris) {
      const problem = redirectUriProblem(uri, type);
      if (problem) throw invalidInput(`${uri} ${problem}`, field);
    }
  }
}

function checkInput(input: NewClient): void {
  if (!CLIENT_TYPES.includes(input.type)) throw invalidInput(`type must be one of ${CLIENT_TYPES.join(', ')}`, 'type');
  if (input.name.trim() === '' || input.name.length > NAME_MAX)
    throw invalidInput(`name must have 1 to ${NAME_MAX} characters`, 'name');
  checkRedirects(input);
  const logout = logoutProblem(input);
  if (logout) throw invalidInput(...logout);
  const badScope = input.scope?.split(' ').find((scope) => !SCOPE.test(scope));
  if (badScope !== undefined)
    throw invalidInput(`scope ${JSON.stringify(badScope)} has characters that RFC 6749 does not allow`, 'scope');
  for (const field of PAGE_FIELDS) {
    const url = input[field] === undefined ? undefined : URL.parse(input[field]);
    if (url === null || (url && url.protocol !== 'https:' && url.protocol !== 'http:'))
      throw invalidInput(`${field} must be an http or https URL`, field);
  }
  if (input.initiate_login_uri !== undefined && !input.initiate_login_uri.startsWith('https:')) {
    throw invalidInput('initiate_login_uri must use https', 'initiate_login_uri');
  }
  if (input.resource !== undefined && input.type !== 'api')
    throw invalidInput('only an API has a resource identifier', 'resource');
  if (input.access_token_format !== undefined && input.type !== 'api')
    throw invalidInput('only an API has tokens of a form of its own', 'access_token_format');
  for (const field of ['resource', 'default_resource'] as const) {
    const uri = input[field];
    if (uri !== undefined && (!URL.canParse(uri) || uri.includes('#')))
      throw invalidInput(`${field} must be an absolute URI without fragment (RFC 8707)`, field);
  }
  if (input.dynamically_registered && input.first_party)
    throw invalidInput('an app that registered itself always asks for consent', 'first_party');
  if (input.always_issue_refresh_token && input.type !== 'web')
    throw invalidInput('only a web client may have always_issue_refresh_token', 'always_issue_refresh_token');
}

interface Needs {
  store: ClientStore;
  /** Names of the upstream providers in the configuration. */
  providers?: string[];
  /** Names of the themes there are. */
  themes?: string[];
  /** `acr` values that sign-ins can reach. */
  acrValues?: string[];
  /** How clients can prove themselves here; all ways unless said. */
  authMethods?: AuthMethod[];
  /** What there are signing keys for. */
  signedWith?: readonly SignedWith[];
  /** Encrypts a secret for the client with this id. */
  seal?: (secret: string, clientId: string) => string;
  /** What people allowed a client goes with it. */
  consents: { deleteByClient(clientId: string): Promise<void> };
}

function checkProviders({ type, identity_providers = [] }: NewClient, known: string[]): void {
  if (identity_providers.length > 0 && !REDIRECTING.has(type))
    throw invalidInput(`nobody signs in to a client of type ${type}`, 'identity_providers');
  const unknown = identity_providers.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const those = known.length > 0 ? `there are ${known.join(', ')}` : 'none is configured';
  throw invalidInput(`no upstream provider is called ${unknown}; ${those}`, 'identity_providers');
}

function checkTheme({ type, theme }: NewClient, known: string[]): void {
  if (theme === undefined) return;
  if (!REDIRECTING.has(type)) throw invalidInput(`nobody sees pages of a client of type ${type}`, 'theme');
  const those = known.length > 0 ? `there are ${known.join(', ')}` : 'there is none in themes_dir';
  if (!known.includes(theme)) throw invalidInput(`no theme is called ${theme}; ${those}`, 'theme');
}

function checkAcr({ type, default_acr_values = [] }: NewClient, known: string[]): void {
  if (default_acr_values.length > 0 && !REDIRECTING.has(type))
    throw invalidInput(`nobody signs in to a client of type ${type}`, 'default_acr_values');
  const unknown = default_acr_values.find((value) => !known.includes(value));
  if (unknown !== undefined)
    throw invalidInput(`there is no acr value ${unknown}; there are ${known.join(', ')}`, 'default_acr_values');
}

const NO_SECRET = { secret_hash: null, secret_sealed: null };
const isKeptAlike = (one: AuthMethod, other: AuthMethod): boolean =>
  hasSecret(one) && hasSecret(other) && needsPlainSecret(one) === needsPlainSecret(other);

/** What needs certificates is refused where none can be seen, rather than left out unnoticed. */
function checkMethod(method: AuthMethod, protocol: ProtocolMetadata | undefined, available: AuthMethod[]): void {
  if (!available.includes(method))
    throw invalidInput(`${method} is off: set mtls.enabled`, 'token_endpoint_auth_method');
  const field = 'tls_client_certificate_bound_access_tokens';
  if (protocol?.[field] && !available.includes('tls_client_auth'))
    throw invalidInput('mutual TLS is off: set mtls.enabled', field);
}

const SIGNED_FIELDS = [
  'userinfo_signed_response_alg',
  'introspection_signed_response_alg',
  'authorization_signed_response_alg',
] as const;

/** A client that wants what nobody can sign would be refused at every request. */
function checkSigned({ id_token_signed_response_alg, protocol }: NewClient, available: readonly SignedWith[]): void {
  const asked = { id_token_signed_response_alg, ...protocol };
  for (const field of ['id_token_signed_response_alg', ...SIGNED_FIELDS] as const) {
    const alg = asked[field];
    if (alg !== undefined && !available.includes(alg))
      throw invalidInput(`there are no keys for ${alg}: set keys.algorithms`, field);
  }
}

/** What is kept of a secret: its hash, or where it must be read again the encrypted secret. */
function kept(method: AuthMethod, secret: string | undefined, id: string, seal: Needs['seal']) {
  if (secret === undefined) return { secret_hash: null };
  if (!needsPlainSecret(method)) return { secret_hash: hashSecret(secret) };
  if (!seal) throw invalidInput(`${method} is not available here`, 'token_endpoint_auth_method');
  return { secret_hash: null, secret_sealed: seal(secret, id) };
}

export function createClients({
  store,
  consents,
  seal,
  authMethods = [...AUTH_METHODS],
  signedWith = SIGNED_WITH,
  providers = [],
  themes = [],
  acrValues = [],
}: Needs): Clients {
  async function get(id: string): Promise<Client> {
    const client = await store.find(id);
    if (!client) throw notFound(`no client has the id ${id}`);
    return client;
  }

  /** @returns how the client speaks the protocol: undefined where it has nothing of its own. @throws invalid_input. */
  async function check(input: NewClient): Promise<{ protocol: ProtocolMetadata | undefined; method: AuthMethod }> {
    checkInput(input);
    checkProviders(input, providers);
    checkTheme(input, themes);
    checkAcr(input, acrValues);
    if (input.default_resource !== undefined && !(await store.findByResource(input.default_resource)))
      throw invalidInput(`no API has the resource identifier ${input.default_resource}`, 'default_resource');
    const { type, redirect_uris = [], protocol: asked } = input;
    const method = authMethod({ type, ...(asked && { protocol: asked }) });
    checkMethod(method, asked, authMethods);
    checkSigned(input, signedWith);
    const protocol = asked && checkProtocol(asked, { type, redirect_uris, method });
    return { protocol: protocol && Object.keys(protocol).length > 0 ? protocol : undefined, method };
  }

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

  return {
    async register(input, id = newId(input.type === 'api' ? 'api_' : 'app_'), accept = async () => undefined) {
      const { protocol, method } = await check(input);
      const client_secret = hasSecret(method) ? newSecret() : undefined;
      const now = isoNow();
      const client: Client = {
        id,
        type: input.type,
        ...settingsOf(input),
        resource: input.type === 'api' ? (input.resource ?? `urn:gatehouse:api:${id}`) : null,
        ...(protocol ? { protocol } : {}),
        ...kept(method, client_secret, id, seal),
        created_at: now,
        updated_at: now,
        version: 1,
      };
      await accept(client);
      await store.insert(client);
      return { client, client_secret };
    },

    get,
    find: (id) => store.find(id),
    findByResource: (resource) => store.findByResource(resource),
    list: (page) => store.list(page),
    search: (search) => store.search(search),

    update: (id, what, version, accept = async () => undefined) =>
      change(id, async (client) => {
        if (version !== undefined && client.version !== version) throw stale(`the client ${id} was changed meanwhile`);
        const { protocol: changed, ...others } = what;
        const named = Object.entries(others).filter(([, value]) => value !== undefined);
        const next = {
          ...withoutNothing({ ...toInput(client), ...Object.fromEntries(named) }),
          ...(changed || client.protocol ? { protocol: withoutNothing({ ...client.protocol, ...changed }) } : {}),
        } as NewClient;
        const { protocol, method } = await check({ ...next, name: next.name ?? '' });
        // A secret is kept in the way its method needs; one of another method is no good any more.
        const dropped = method === authMethod(client) || isKeptAlike(method, authMethod(client)) ? {} : NO_SECRET;
        const after: Client = {
          ...client,
          ...settingsOf(next),
          ...(protocol || client.protocol ? { protocol: protocol ?? {} } : {}),
          ...dropped,
        };
        await accept(after);
        return after;
      }),

    async rotateSecret(id) {
      const client_secret = newSecret();
      const client = await change(id, (current) => {
        const method = authMethod(current);
        if (!hasSecret(method)) throw invalidInput(`${id} proves itself by ${method}: it has no secret`, 'client_id');
        return { ...current, ...kept(method, client_secret, id, seal) };
      });
      return { client, client_secret };
    },

    async delete(id) {
      const existed = await store.delete(id);
      await consents.deleteByClient(id);
      return existed;
    },
  };
}
