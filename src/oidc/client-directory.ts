/** Clients as the library wants them, held for a second so that a busy token endpoint need not read the store each time. */
import { isDeepStrictEqual } from 'node:util';
import { errors, Provider } from 'oidc-provider';
import type { AllClientMetadata, ResponseType } from 'oidc-provider';
import { APP_FIELDS, appSettingsOf } from '../clients/app-settings.ts';
import { DocumentProblem, isDocumentId } from '../clients/documents.ts';
import { authMethod, grantTypes } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { hasSecret } from '../clients/protocol.ts';
import { liveSecretsOf } from '../clients/secrets.ts';
import { newSecret } from '../kernel/ids.ts';
import type { Page } from '../kernel/paging.ts';
import { mark } from '../kernel/search.ts';
import type { Search } from '../kernel/search.ts';
import { STANDARD_SCOPES } from './claims.ts';
import type { Trials } from './trials.ts';

const HELD_MS = 1000;
const MOST_HELD = 1000;

/** Our own client properties, under which the library hands them back to us. */
export const CLIENT_PROPERTIES = [
  'client_type',
  'first_party',
  'default_resource',
  'allowed_scopes',
  'always_issue_refresh_token',
  'resource',
  'identity_providers',
  'theme',
  'fapi_profile',
  'token_exchange',
  'jwt_bearer',
  'allowed_details',
  'registered_requests',
  'dynamically_registered',
  'document_name',
  'frontchannel_logout_uri',
  'frontchannel_logout_session_required',
  'accepted_secrets',
  ...APP_FIELDS,
] as const;

/** A secret as it is compared: its hash, or the secret itself where that is what is needed. */
export interface AcceptedSecret {
  value: string;
  /** ISO 8601; null never. */
  expires_at: string | null;
}

export interface ClientDirectory {
  metadata(id: string): Promise<AllClientMetadata | undefined>;
  /** The API with this resource indicator. */
  api(resource: string): Promise<Client | undefined>;
  /** Types of authorization details that there are at all APIs. */
  detailTypes(): Promise<string[]>;
}

interface Needs {
  clients: {
    find(id: string): Promise<Client | undefined>;
    findByResource(resource: string): Promise<Client | undefined>;
    search(search: Search): Promise<Page<Client>>;
  };
  /** Clients whose id is the URL of a document; undefined where there are none. */
  documents?: { resolve(id: string, mayRead: boolean): Promise<Client | undefined> } | undefined;
  /** Apps that admins try just now; undefined where nobody can. */
  trials?: Pick<Trials, 'extended'> | undefined;
  /** Grants that are switched on. A client that has another keeps it, and goes on with the rest. */
  grants: readonly string[];
  /** A secret of a client whose method of authentication needs it in plain. */
  openSecret(clientId: string, sealed: string): string;
}

const dropNulls = <T extends Record<string, unknown>>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: Exclude<T[K], null>;
  };

/** The scopes the library may check itself; `openid` alone where only API scopes are registered. */
function standardScope(client: Client): string | null {
  if (client.scope === null || client.type === 'service' || client.type === 'api') return null;
  const standard = client.scope.split(' ').filter((scope) => STANDARD_SCOPES.includes(scope));
  return standard.length > 0 ? standard.join(' ') : 'openid';
}

/** Metadata by the names of OpenID Connect Dynamic Client Registration, section 2. */
export function toMetadata(client: Client, accepted: AcceptedSecret[] = []): AllClientMetadata {
  const types = grantTypes(client);
  const { protocol } = client;
  const { authorization_details_types, request_uris, ...withoutDetails } = protocol ?? {};
  return {
    ...withoutDetails,
    allowed_details: authorization_details_types ?? null,
    registered_requests: request_uris ?? [],
    client_id: client.id,
    client_name: client.client_name,
    application_type: client.type === 'native' ? 'native' : 'web',
    redirect_uris: client.redirect_uris,
    post_logout_redirect_uris: client.post_logout_redirect_uris,
    backchannel_logout_session_required: client.backchannel_logout_session_required ?? false,
    frontchannel_logout_session_required: client.frontchannel_logout_session_required ?? false,
    grant_types: types,
    response_types:
      (protocol?.response_types as ResponseType[] | undefined) ??
      (types.includes('authorization_code') ? ['code'] : []),
    token_endpoint_auth_method: authMethod(client),
    id_token_signed_response_alg: client.id_token_signed_response_alg,
    client_type: client.type,
    first_party: client.first_party,
    dynamically_registered: client.dynamically_registered ?? false,
    allowed_scopes: client.scope?.split(' ') ?? [],
    always_issue_refresh_token: client.always_issue_refresh_token,
    identity_providers: client.identity_providers ?? [],
    theme: client.theme ?? null,
    ...appSettingsOf(client),
    accepted_secrets: accepted,
    ...(client.default_acr_values?.length ? { default_acr_values: client.default_acr_values } : {}),
    ...dropNulls({
      // A client whose secrets are over is told that its secret is wrong, not that its registration is.
      client_secret: hasSecret(authMethod(client)) ? (accepted[0]?.value ?? newSecret()) : null,
      scope: standardScope(client),
      default_resource: client.default_resource,
      resource: client.resource,
      client_uri: client.client_uri,
      backchannel_logout_uri: client.backchannel_logout_uri ?? null,
      frontchannel_logout_uri: client.frontchannel_logout_uri ?? null,
      document_name: client.document_name ?? null,
      logo_uri: client.logo_uri,
      policy_uri: client.policy_uri,
      tos_uri: client.tos_uri,
      initiate_login_uri: client.initiate_login_uri,
    }),
  };
}

/** What was read anew and is as before stays the same object: a client is made of it once, and code that was compiled for that client stays good. */
function held<T>(load: (key: string) => Promise<T | undefined>) {
  const entries = new Map<string, { until: number; value: T }>();
  return async (key: string): Promise<T | undefined> => {
    const entry = entries.get(key);
    if (entry && entry.until > performance.now()) return entry.value;
    const loaded = await load(key);
    const value = isDeepStrictEqual(loaded, entry?.value) ? entry?.value : loaded;
    entries.delete(key);
    // What is missing is asked for again each time: it may be registered the next moment.
    if (value !== undefined) {
      if (entries.size >= MOST_HELD) entries.clear();
      entries.set(key, { until: performance.now() + HELD_MS, value });
    }
    return value;
  };
}

/** Where an app can begin something. Elsewhere one that nobody knows has no business, and no document is read for it. */
const BEGINNINGS = new Set<string | undefined>(['authorization', 'resume', 'pushed_authorization_request', undefined]);

export function createClientDirectory({ clients, documents, trials, grants, openSecret }: Needs): ClientDirectory {
  const acceptedOf = (client: Client): AcceptedSecret[] =>
    liveSecretsOf(client).map(({ hash, sealed, expires_at }) => ({
      value: sealed === null ? hash! : openSecret(client.id, sealed),
      expires_at,
    }));

  async function find(id: string): Promise<Client | undefined> {
    if (!isDocumentId(id)) return clients.find(id);
    const begins = BEGINNINGS.has((Provider.ctx?.oidc as { route?: string } | undefined)?.route);
    try {
      return await documents?.resolve(id, begins);
    } catch (error) {
      if (!(error instanceof DocumentProblem)) throw error;
      if (begins) throw new errors.InvalidClient('client is invalid', `${id} ${error.message}`);
      return undefined;
    }
  }

  /** The library takes a client for broken that has a grant which it does not know. */
  const withoutOthers = (metadata: AllClientMetadata): AllClientMetadata => ({
    ...metadata,
    grant_types: metadata.grant_types!.filter((grant) => grants.includes(grant)),
  });

  const detailTypes = held(async () => {
    const types = new Set<string>();
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const { items, next } = await clients.search({ having: [mark('type', 'api')], limit: 100, after });
      for (const { detail_types = [] } of items) for (const { type } of detail_types) types.add(type);
      after = next ?? undefined;
    }
    return [...types].sort();
  });

  const registered = held(async (id) => {
    const client = await find(id);
    return client && withoutOthers(toMetadata(client, acceptedOf(client)));
  });

  return {
    detailTypes: async () => (await detailTypes('all')) ?? [],
    async metadata(id) {
      const metadata = await registered(id);
      return metadata && trials ? trials.extended(id, metadata) : metadata;
    },
    api: held((resource) => clients.findByResource(resource)),
  };
}
