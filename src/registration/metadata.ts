/** Client metadata by the names of RFC 7591 and OpenID Connect Registration, into what `clients/` registers and back. */
import { z } from 'zod';
import { authMethod, grantTypes } from '../clients/client.ts';
import type { Client, ClientType } from '../clients/client.ts';
import type { ClientChange, NewClient } from '../clients/clients.ts';
import { protocolSchema } from '../clients/protocol.ts';
import type { ProtocolMetadata } from '../clients/protocol.ts';
import { invalidInput } from '../kernel/errors.ts';
import { displayHost, isLoopback } from '../kernel/urls.ts';

const MOST_URIS = 20;
const text = z.string().min(1).max(2000);
const uris = z.array(text).max(MOST_URIS);
const flag = z.boolean();

/** What an app may say of itself. The rest is for those who run this provider, or unknown: both are left out (RFC 7591, section 2). */
const SHAPE = {
  application_type: z.enum(['web', 'native']),
  client_name: z.string().max(200),
  redirect_uris: uris,
  post_logout_redirect_uris: uris,
  backchannel_logout_uri: text,
  backchannel_logout_session_required: flag,
  frontchannel_logout_uri: text,
  frontchannel_logout_session_required: flag,
  scope: text,
  client_uri: text,
  logo_uri: text,
  policy_uri: text,
  tos_uri: text,
  initiate_login_uri: text,
  default_acr_values: z.array(text).max(20),
  id_token_signed_response_alg: z.enum(['RS256', 'ES256', 'PS256', 'EdDSA']),
};
const said = z.object(SHAPE).partial();

/** Which profile a client is held to, whose tokens it may exchange, and what it may ask of an API is up to those who run this provider. */
const OF_ADMINS = ['fapi_profile', 'token_exchange', 'jwt_bearer', 'authorization_details_types'];
const PROTOCOL_NAMES = Object.keys(protocolSchema.shape).filter(
  (name) => !OF_ADMINS.includes(name),
) as (keyof ProtocolMetadata)[];
const NAMES = Object.keys(SHAPE) as (keyof typeof SHAPE)[];

/** Where people come back to, of which a policy allows some. */
export const redirectScheme = (uri: string): 'https' | 'loopback' | 'app' => {
  const url = URL.parse(uri);
  if (url?.protocol === 'https:') return 'https';
  return url?.protocol === 'http:' && isLoopback(url) ? 'loopback' : 'app';
};

/** Names that could pass for other characters, or turn the text around them. */
const TRICKY = /[\p{Cc}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/u;

function nameOf({ client_name, client_uri, redirect_uris }: z.output<typeof said>): string {
  const name = client_name?.trim() || displayHost(client_uri) || displayHost(redirect_uris?.[0]) || 'Unnamed app';
  if (TRICKY.test(name)) throw invalidInput('client_name has characters that cannot be seen', 'client_name');
  return name;
}

/** `spa` and `native` have no secret; where nothing is said, an app that only a device of its own can answer is native. */
function typeOf(app: z.output<typeof said>, grants: string[], method: string | undefined): ClientType {
  const { redirect_uris = [], application_type } = app;
  const onDevice = redirect_uris.length > 0 && redirect_uris.every((uri) => redirectScheme(uri) !== 'https');
  if (application_type === 'native') return 'native';
  if (method === 'none') return application_type === undefined && onDevice ? 'native' : 'spa';
  return grants.every((grant) => grant === 'client_credentials') ? 'service' : 'web';
}

const without = (fields: object, names: string[]) =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

const nothing = (names: string[]) => Object.fromEntries(names.map((name) => [name, null]));

/** What is absent, null or empty is one and the same (RFC 7591, section 2; RFC 7592, section 2.2). */
const withoutNothing = (body: object) =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null && value !== ''));

/**
 * @param body the request's JSON object. @returns the client it asks for, marked as registered by itself.
 * @throws invalid_input naming the field.
 */
export function toNewClient(body: object): NewClient {
  const given = withoutNothing(body);
  const parsed = said.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidInput(`${issue!.path.join('.')}: ${issue!.message}`, String(issue!.path[0] ?? 'metadata'));
  }
  const { application_type } = parsed.data;
  const protocol = Object.fromEntries(
    PROTOCOL_NAMES.flatMap((name) => (Object.hasOwn(given, name) ? [[name, given[name]]] : [])),
  ) as ProtocolMetadata;
  const { grant_types = ['authorization_code' as const] } = protocol;
  if (!Array.isArray(grant_types) || grant_types.length === 0)
    throw invalidInput('grant_types must be a list', 'grant_types');
  const type = typeOf(parsed.data, grant_types, protocol.token_endpoint_auth_method);
  const redirects = grant_types.some((grant) => grant === 'authorization_code' || grant === 'implicit');
  return {
    ...(without(parsed.data, ['application_type', 'client_name']) as Omit<NewClient, 'type' | 'name'>),
    type,
    name: nameOf(parsed.data),
    protocol: {
      ...protocol,
      // The default is a secret, which no program on somebody's device can keep: what is registered is told in the answer.
      ...(application_type === 'native' && protocol.token_endpoint_auth_method === undefined
        ? { token_endpoint_auth_method: 'none' as const }
        : {}),
      grant_types,
      response_types: protocol.response_types ?? (redirects ? ['code'] : []),
    },
    dynamically_registered: true,
  };
}

/** The whole of `input` as a change: what it does not say goes (RFC 7592, section 2.2), what only admins set stays. */
export function toChange(input: NewClient): ClientChange {
  return {
    ...without(nothing(NAMES), ['application_type', 'client_name']),
    ...without(input, ['type', 'dynamically_registered']),
    protocol: { ...nothing(PROTOCOL_NAMES), ...input.protocol },
  };
}

const withoutNulls = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

/** What an app is told of its own record: never a hash, and nothing that only admins see. */
export function toAnswer(client: Client): Record<string, unknown> {
  const { protocol } = client;
  const own = Object.fromEntries(PROTOCOL_NAMES.map((name) => [name, protocol?.[name]]));
  const app = client as unknown as Record<string, unknown>;
  const shown = Object.fromEntries(NAMES.map((name) => [name, app[name]]));
  return withoutNulls({
    ...shown,
    ...own,
    client_id: client.id,
    client_id_issued_at: Math.floor(Date.parse(client.created_at) / 1000),
    application_type: client.type === 'native' ? 'native' : 'web',
    grant_types: grantTypes(client),
    token_endpoint_auth_method: authMethod(client),
  });
}
