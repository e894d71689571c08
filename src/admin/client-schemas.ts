/** The shapes of apps. */
import { z } from 'zod';
import { protocolSchema } from '../clients/protocol.ts';
import { appShapes, clientName, scope, secretFacts, signing, told, warned } from './client-shapes.ts';
import { clearables, moment, name, optionals, text, url } from './schema-parts.ts';

const uris = z.array(url).max(200);

const appSettings = {
  redirect_uris: uris,
  post_logout_redirect_uris: uris,
  backchannel_logout_uri: url.meta({
    description: 'Where it is told that a session has ended, by a signed log-out token.',
  }),
  backchannel_logout_session_required: z.boolean(),
  frontchannel_logout_uri: url.meta({ description: 'The same by a frame in the browser.' }),
  frontchannel_logout_session_required: z.boolean(),
  scope,
  first_party: z.boolean().meta({ description: 'Skips consent.' }),
  default_resource: url.meta({ description: 'Identifier of the API that requests without `resource` are for.' }),
  always_issue_refresh_token: z.boolean(),
  client_uri: url,
  logo_uri: url,
  policy_uri: url,
  tos_uri: url,
  initiate_login_uri: url,
  identity_providers: z.array(text(100)).max(50),
  theme: text(100),
  default_acr_values: z.array(text(200)).max(20),
  id_token_signed_response_alg: signing,
  ...appShapes,
};
const appType = z.enum(['web', 'spa', 'native', 'service']);

const protocol = protocolSchema.shape;
/** How a client speaks the protocol, by the names of RFC 7591 and its extensions. */
export const PROTOCOL_FIELDS = Object.keys(protocol);
const unwrapped = Object.fromEntries(
  Object.entries(protocol).map(([key, schema]) => [key, schema.unwrap() as z.ZodType]),
);

export const client = name(
  'Client',
  z.object({
    ...protocol,
    client_id: z.string(),
    type: appType,
    client_name: z.string(),
    redirect_uris: z.array(z.string()),
    post_logout_redirect_uris: z.array(z.string()),
    backchannel_logout_uri: z.string().nullable().optional(),
    backchannel_logout_session_required: z.boolean().optional(),
    frontchannel_logout_uri: z.string().nullable().optional(),
    frontchannel_logout_session_required: z.boolean().optional(),
    scope: z.string().optional(),
    first_party: z.boolean(),
    dynamically_registered: z
      .boolean()
      .optional()
      .meta({ description: 'It registered itself: always asks for consent.' }),
    document_name: z.string().optional().meta({
      description: 'It is known by the document at its id: the name it gives itself there, which nobody checked.',
    }),
    default_resource: z.string().nullable(),
    always_issue_refresh_token: z.boolean(),
    client_uri: z.string().nullable(),
    logo_uri: z.string().nullable(),
    policy_uri: z.string().nullable(),
    tos_uri: z.string().nullable(),
    initiate_login_uri: z.string().nullable(),
    identity_providers: z.array(z.string()).optional(),
    theme: z.string().nullable().optional(),
    default_acr_values: z.array(z.string()).optional(),
    id_token_signed_response_alg: signing,
    ...optionals(appShapes),
    token_endpoint_auth_method: z.string(),
    has_secret: z.boolean(),
    secrets: secretFacts,
    built_in: z.boolean(),
    created_at: moment,
    updated_at: moment,
  }),
);
export const clientDocument = name(
  'ClientDocument',
  z.object({
    client_id: z.string(),
    claimed_name: z.string().nullable().meta({ description: 'The name it gives itself, which nobody checked.' }),
    redirect_uris: z.array(z.string()),
    fetched_at: moment.nullable(),
    used_at: moment,
    denied_at: moment.nullable(),
    denied_reason: z.string().nullable(),
  }),
);
export const registeredClient = name('RegisteredClient', client.extend({ ...told, ...warned }));
export const changedClient = name('ChangedClient', client.extend(warned));
export const clientWithSecret = name('ClientWithSecret', client.extend(told));
/** Of what is not kept. */
export const checkedClient = name('CheckedClient', z.object(warned));
export const newClient = name(
  'NewClient',
  z.strictObject({ type: appType, client_name: clientName, ...optionals(appSettings), ...optionals(unwrapped) }),
);
export const clientChange = name(
  'ClientChange',
  z
    .strictObject({ client_name: clientName.optional(), ...clearables(appSettings), ...clearables(unwrapped) })
    .meta({ description: 'What is absent stays, what is null goes (RFC 7396).' }),
);
