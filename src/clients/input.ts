/** What is said of a client when it is registered or changed, and what its record becomes by it. */
import { apiSettingsOf } from './api-settings.ts';
import type { ApiSettings } from './api-settings.ts';
import { appSettingsOf } from './app-settings.ts';
import type { AppSettings } from './app-settings.ts';
import type { AccessTokenFormat, Client, ClientType } from './client.ts';
import type { ProtocolMetadata } from './protocol.ts';

export interface NewClient extends ApiSettings, AppSettings {
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
  /** It is known by the document at its id: the name it gives itself there. */
  document_name?: string | undefined;
}

/** A field that is absent stays, one that is null goes back to what it is without being named. */
export type ClientChange = {
  [Name in Exclude<keyof NewClient, 'type' | 'resource' | 'protocol' | 'dynamically_registered' | 'document_name'>]?:
    NewClient[Name] | null | undefined;
} & { protocol?: { [Name in keyof ProtocolMetadata]?: ProtocolMetadata[Name] | null | undefined } | undefined };

/** @returns the fields that have a value. */
export const withoutNothing = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

/** A client as it would be registered. */
export function toInput(client: Client): NewClient {
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
    ...appSettingsOf(client),
    scope_descriptions: client.scope_descriptions,
    access_token_signing_alg: client.access_token_signing_alg,
    detail_types: client.detail_types,
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
    document_name: client.document_name,
  };
}

/** What of a client's record comes from how it was registered. */
export function settingsOf(input: NewClient) {
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
    ...appSettingsOf(input),
    ...(input.type === 'api'
      ? { access_token_format: input.access_token_format ?? ('jwt' as const), ...apiSettingsOf(input) }
      : {}),
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
    ...(input.document_name === undefined ? {} : { document_name: input.document_name }),
  };
}
