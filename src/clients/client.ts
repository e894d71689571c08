/**
 * Clients: the apps that delegate their login to this provider, and the APIs that accept its tokens. This room owns their
 * record, the rules of registration and the check of their secrets. Names are those of RFC 7591 and OpenID Connect
 * Registration; what a standard does not name is explained here.
 */
import { mark, wordsIn } from '../kernel/search.ts';
import type { ApiSettings } from './api-settings.ts';
import type { AppSettings } from './app-settings.ts';
import type { AuthMethod, ProtocolMetadata, SignedWith } from './protocol.ts';
import { factsOf, secretExpiryOf } from './secrets.ts';
import type { KeptSecret, SecretFacts } from './secrets.ts';

export const CLIENT_TYPES = ['web', 'spa', 'native', 'service', 'api'] as const;
/** web: confidential, server-side. spa, native: public. service: acts for itself. api: accepts tokens (resource server). */
export type ClientType = (typeof CLIENT_TYPES)[number];

/** The client of our own account page. */
export const ACCOUNT_CLIENT = 'gatehouse-account';
/** The client of the console. */
export const CONSOLE_CLIENT = 'gatehouse-console';
/** The API that admins' programs call. */
export const ADMIN_API = 'gatehouse-admin-api';
const OWN_PAGES = [ACCOUNT_CLIENT, CONSOLE_CLIENT];
const BUILT_IN = [...OWN_PAGES, ADMIN_API, 'playground', 'playground-api'];

/** Whether it is pages of ours rather than an app. */
export const isOwnPage = (id: string): boolean => OWN_PAGES.includes(id);

/** Whether the program itself registers it, so that changes of others would not last. */
export const isBuiltIn = (id: string): boolean => BUILT_IN.includes(id);

/** `jwt`: an API can check it by itself, and sees that it was revoked when it asks. `opaque`: it has to ask each time. */
export const ACCESS_TOKEN_FORMATS = ['jwt', 'opaque'] as const;
export type AccessTokenFormat = (typeof ACCESS_TOKEN_FORMATS)[number];

export interface Client extends ApiSettings, AppSettings {
  id: string;
  type: ClientType;
  client_name: string;
  redirect_uris: string[];
  post_logout_redirect_uris: string[];
  /** Where it is told of a log-out by us (OpenID Connect Back-Channel Logout 1.0); missing in older records. */
  backchannel_logout_uri?: string | null;
  /** It needs the `sid` to know which session is meant. */
  backchannel_logout_session_required?: boolean;
  /** Where it is told by the person's browser, in a frame (OpenID Connect Front-Channel Logout 1.0); missing in older records. */
  frontchannel_logout_uri?: string | null;
  frontchannel_logout_session_required?: boolean;
  /** Scopes the client may ask for; null is any. Of an API: the scopes it offers. */
  scope: string | null;
  /** Skips consent: the people who run this provider run the app too. */
  first_party: boolean;
  /** Identifier of the API that a request without `resource` (RFC 8707) is for. */
  default_resource: string | null;
  /** Of an API: its identifier, the `aud` of tokens made for it. */
  resource: string | null;
  /** Of an API: the form of its tokens. JWT where it is missing, as in older records. */
  access_token_format?: AccessTokenFormat;
  /** Of a web client: a refresh token without `offline_access`, which ends with the session. */
  always_issue_refresh_token: boolean;
  client_uri: string | null;
  logo_uri: string | null;
  policy_uri: string | null;
  tos_uri: string | null;
  initiate_login_uri: string | null;
  /** Upstream providers by which its people may sign in; any where it is empty, or missing in older records. */
  identity_providers?: string[];
  /** Theme of the pages that are about it; missing in older records. */
  theme?: string | null;
  /** `acr` values of which every sign-in to it reaches one; none where it is empty, or missing in older records. */
  default_acr_values?: string[];
  id_token_signed_response_alg: SignedWith;
  /** It registered itself (RFC 7591): nobody here has looked at it, and it is never first-party. Missing where it did not. */
  dynamically_registered?: boolean;
  /**
   * It is known by the document at its id (`documents.ts`), and nobody here has looked at it: the name that it gives itself there. Its
   * `client_name` is the host of that address, the one thing about it that is proved. Missing where it is registered.
   */
  document_name?: string;
  /** Keys, authentication, signatures, encryption and bindings beyond the everyday; missing where all is as usual. */
  protocol?: ProtocolMetadata;
  /** Hash of the secret; null for clients that have none, or one that must be read. */
  secret_hash: string | null;
  /** The secret encrypted, where the method of authentication needs it in plain; missing otherwise. */
  secret_sealed?: string | null;
  /** About that secret; missing in older records. */
  secret_facts?: SecretFacts | null;
  /** The one before, while both are in force. */
  earlier_secret?: KeptSecret | null;
  created_at: string;
  updated_at: string;
  version: number;
}

/** How a client proves who it is at the token endpoint. */
export const authMethod = ({ type, protocol }: Pick<Client, 'type' | 'protocol'>): AuthMethod =>
  protocol?.token_endpoint_auth_method ?? (type === 'spa' || type === 'native' ? 'none' : 'client_secret_basic');

export function grantTypes({ type, protocol }: Pick<Client, 'type' | 'protocol'>): string[] {
  if (protocol?.grant_types) return protocol.grant_types;
  if (type === 'service') return ['client_credentials'];
  return type === 'api' ? [] : ['authorization_code', 'refresh_token'];
}

/** Whether a secret of it has an end: what wants attention is found by it. */
export const EXPIRING = mark('secret', 'expires');

/** What a client is found by: its name, id and identifier, and as marks its type and that a secret of it has an end. */
export const wordsOfClient = (client: Client): string[] =>
  wordsIn(
    [client.client_name, client.id, client.resource ?? ''],
    [mark('type', client.type), ...(secretExpiryOf(client) === undefined ? [] : [EXPIRING])],
  );

/** What may be told of a client to an admin: all but its secrets. */
export function publicClient({ secret_hash, secret_sealed, secret_facts, earlier_secret, ...client }: Client) {
  const { id, scope, protocol, ...rest } = client;
  const secrets = factsOf({
    secret_hash,
    created_at: client.created_at,
    secret_sealed: secret_sealed ?? null,
    secret_facts: secret_facts ?? null,
    earlier_secret: earlier_secret ?? null,
  });
  return {
    client_id: id,
    ...rest,
    ...(scope === null ? {} : { scope }),
    ...protocol,
    token_endpoint_auth_method: authMethod({ type: rest.type, ...(protocol && { protocol }) }),
    has_secret: secrets.length > 0,
    secrets,
    built_in: isBuiltIn(id),
  };
}
