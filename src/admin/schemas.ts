/** The shapes that the API takes and gives. What it takes is strict; of what it gives, only what is named here leaves. */
import { z } from 'zod';
import { DESCRIPTION_MAX, LIFETIME } from '../clients/api-settings.ts';
import { ACCESS_TOKEN_FORMATS } from '../clients/client.ts';
import { detailTypesSchema } from '../clients/detail-types.ts';
import { protocolSchema, SIGNED_WITH } from '../clients/protocol.ts';
import {
  appShapes,
  appWarnings,
  rotation as rotationShape,
  secretFacts,
  secretLife as secretLifeShape,
} from './client-shapes.ts';

/** Schemas with names of their own in the OpenAPI document. */
export const named = z.registry<{ id: string }>();
export const name = <T extends z.ZodType>(id: string, schema: T): T => {
  named.add(schema, { id });
  return schema;
};

const text = (max: number) => z.string().max(max);
const moment = z.string().meta({ format: 'date-time' });
const url = z.string().max(2000);

export const page = {
  limit: z
    .preprocess(
      (value) => (typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value),
      z.int().min(1).max(500),
    )
    .optional()
    .meta({ description: 'How many; 50 unless given.' }),
  after: z.string().max(1000).optional().meta({ description: 'The `next` of the page before.' }),
};
export const search = z
  .string()
  .max(200)
  .optional()
  .meta({ description: 'Words, each of which must begin a word of the name, the address or the id.' });

/** One page. */
export const listOf = <T extends z.ZodType>(id: string, item: T) =>
  name(
    id,
    z.object({
      items: z.array(item),
      next: z.string().optional().meta({ description: 'Where the next page begins; absent on the last one.' }),
    }),
  );

const claimTexts = {
  given_name: text(200),
  family_name: text(200),
  middle_name: text(200),
  nickname: text(200),
  preferred_username: text(200),
  profile: url,
  website: url,
  gender: text(200),
  birthdate: text(10),
  zoneinfo: text(100),
  locale: text(100),
  phone_number: text(50),
};
const optionals = <T extends Record<string, z.ZodType>>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.optional()])) as {
    [K in keyof T]: z.ZodOptional<T[K]>;
  };
const clearables = <T extends Record<string, z.ZodType>>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.nullable().optional()])) as {
    [K in keyof T]: z.ZodOptional<z.ZodNullable<T[K]>>;
  };
const address = z.record(z.string().max(50), text(1000));

export const user = name(
  'User',
  z.object({
    sub: z.string().meta({ description: 'Opaque and stable: the `sub` of every token.' }),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string(),
    picture: z.string().nullable(),
    claims: z.object({
      ...optionals(Object.fromEntries(Object.keys(claimTexts).map((key) => [key, z.string()]))),
      phone_number_verified: z.boolean().optional(),
      address: z.record(z.string(), z.string()).optional(),
    }),
    roles: z.array(z.string()).meta({ description: 'Their own; those of their groups are theirs too.' }),
    groups: z.array(z.string()),
    state: z.enum(['active', 'suspended', 'deleting']),
    erase_at: moment.nullable().optional(),
    has_password: z.boolean(),
    must_change_password: z
      .boolean()
      .meta({ description: 'Whoever signs in with the password chooses another one before they go on.' }),
    created_at: moment,
    updated_at: moment,
    last_sign_in_at: moment.nullable(),
  }),
);

const roles = z.array(text(100)).max(100);
const groups = z.array(text(100)).max(100);

export const newUser = name(
  'NewUser',
  z.strictObject({
    email: text(320),
    name: text(200),
    password: text(1000)
      .optional()
      .meta({ description: 'Checked as at sign-up. None: a passkey, a mail or an upstream.' }),
    email_verified: z.boolean().optional().meta({ description: 'The address is known to be theirs.' }),
    roles: roles.optional(),
    groups: groups.optional(),
  }),
);

export const userChange = name(
  'UserChange',
  z
    .strictObject({
      name: text(200).optional(),
      picture: url.nullable().optional(),
      email_verified: z.boolean().optional(),
      roles: roles.optional(),
      groups: groups.optional(),
      claims: z
        .strictObject({
          ...clearables(claimTexts),
          phone_number_verified: z.boolean().nullable().optional(),
          address: address.nullable().optional(),
        })
        .optional(),
    })
    .meta({ description: 'What is absent stays, what is null goes (RFC 7396).' }),
);

const assignment = z.strictObject({ roles: roles.optional(), groups: groups.optional() });
export const reassignment = name(
  'Reassignment',
  z.strictObject({ add: assignment.optional(), remove: assignment.optional() }),
);

export const newPassword = name('NewPassword', z.strictObject({ password: text(1000) }));
export const newEmail = name(
  'NewEmail',
  z.strictObject({
    email: text(320),
    confirmed: z
      .boolean()
      .optional()
      .meta({ description: 'It is known to be theirs: change it now. Else a link is mailed there.' }),
  }),
);

export const unlocked = name('Unlocked', z.object({ sub: z.string(), counters_cleared: z.int() }));

export const signInMethods = name(
  'SignInMethods',
  z.object({
    has_password: z.boolean(),
    identities: z.array(
      z.object({
        provider: z.string(),
        issuer: z.string(),
        subject: z.string(),
        email: z.string().nullable(),
        created_at: moment,
        last_used_at: moment,
      }),
    ),
    passkeys: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        synced: z.boolean(),
        backed_up: z.boolean(),
        created_at: moment,
        last_used_at: moment.nullable(),
      }),
    ),
    second_factors: z.object({
      totp: z.boolean(),
      totp_since: moment.nullable(),
      totp_last_used_at: moment.nullable(),
      passkeys: z.int(),
      recovery_codes_left: z.int(),
      recovery_codes_since: moment.nullable(),
      remembered_devices: z.array(
        z.object({ id: z.string(), name: z.string(), created_at: moment, last_used_at: moment, expires_at: z.int() }),
      ),
    }),
  }),
);

export const session = name(
  'Session',
  z.object({
    id: z.string(),
    address: z.string(),
    user_agent: z.string(),
    began_at: moment,
    last_seen_at: moment,
    clients: z.array(z.string()).meta({ description: 'Ids of the apps it signed in to.' }),
  }),
);

export const sessionOfSomebody = name(
  'SessionOfSomebody',
  session.extend({ sub: z.string().meta({ description: 'Whose it is.' }) }),
);

export const consent = name(
  'Consent',
  z.object({
    client_id: z.string(),
    scopes: z.array(z.string()),
    declined: z.array(z.string()),
    resources: z.record(z.string(), z.array(z.string())),
    created_at: moment,
    updated_at: moment,
    last_used_at: moment.optional(),
  }),
);

const uris = z.array(url).max(200);
const signing = z.enum(SIGNED_WITH);
const scope = text(4000).meta({ description: 'Scopes, separated by spaces.' });

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
const client_name = text(200);

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
const secret = {
  client_secret: z.string().optional().meta({ description: 'Told this once.' }),
};
const warned = { warnings: appWarnings };
export const registeredClient = name('RegisteredClient', client.extend({ ...secret, ...warned }));
export const changedClient = name('ChangedClient', client.extend(warned));
export const clientWithSecret = name('ClientWithSecret', client.extend(secret));
/** Of what is not kept. */
export const checkedClient = name('CheckedClient', z.object(warned));
export const newClient = name(
  'NewClient',
  z.strictObject({ type: appType, client_name, ...optionals(appSettings), ...optionals(unwrapped) }),
);
export const clientChange = name(
  'ClientChange',
  z
    .strictObject({ client_name: client_name.optional(), ...clearables(appSettings), ...clearables(unwrapped) })
    .meta({ description: 'What is absent stays, what is null goes (RFC 7396).' }),
);

const format = z.enum(ACCESS_TOKEN_FORMATS).meta({
  description:
    'Form of its tokens: `jwt`, or `opaque`, which it has to ask about and so sees at once that one was revoked.',
});

const apiSettings = {
  access_token_format: format,
  scope,
  scope_descriptions: z
    .record(z.string().max(200), text(DESCRIPTION_MAX))
    .meta({ description: 'What people read of its scopes where they are asked, by scope.' }),
  access_token_lifetime: z
    .int()
    .min(LIFETIME.min)
    .max(LIFETIME.max)
    .meta({ description: 'Seconds; `lifetimes.access_token` of the configuration unless it is set.' }),
  access_token_signing_alg: signing.meta({
    description: 'Signature of its JWTs; the first of `keys.algorithms` unless it is set.',
  }),
  detail_types: detailTypesSchema.meta({
    description: 'Types of rich authorization requests (RFC 9396) that it has, and what people read of them.',
  }),
  client_uri: url,
};

export const api = name(
  'Api',
  z.object({
    client_id: z.string(),
    client_name: z.string(),
    resource: z.string().meta({ description: 'Its identifier: the audience of its tokens.' }),
    access_token_format: format.optional(),
    scope: z.string().optional().meta({ description: 'The scopes it offers.' }),
    scope_descriptions: z.record(z.string(), z.string()).optional(),
    access_token_lifetime: z.int().optional(),
    access_token_signing_alg: signing.optional(),
    detail_types: detailTypesSchema.optional(),
    client_uri: z.string().nullable(),
    has_secret: z.boolean(),
    secrets: secretFacts,
    built_in: z.boolean(),
    created_at: moment,
    updated_at: moment,
  }),
);
export const registeredApi = name('RegisteredApi', api.extend({ ...secret, ...warned }));
export const changedApi = name('ChangedApi', api.extend(warned));
export const apiWithSecret = name('ApiWithSecret', api.extend(secret));
export const newApi = name(
  'NewApi',
  z.strictObject({
    client_name,
    resource: url.optional(),
    ...optionals(apiSettings),
  }),
);
export const apiChange = name(
  'ApiChange',
  z.strictObject({
    client_name: client_name.optional(),
    ...clearables(apiSettings),
  }),
);

export const rotation = name('SecretRotation', rotationShape);
export const secretLife = name('NewSecret', secretLifeShape);

const who = z.object({ kind: z.string(), id: z.string().nullable() });

export const auditEntry = name(
  'AuditEntry',
  z.object({
    seq: z.int().meta({ description: 'Its place in the chain.' }),
    id: z.string(),
    at: moment,
    type: z.string(),
    actor: who.meta({
      description: '`person`, `admin`, `client`, `operator` (the command line; by the name of its user) or `system`.',
    }),
    target: who.meta({ description: 'Of a person the `sub`; once they are erased, the pseudonym that is left.' }),
    network: z.string().nullable(),
    device: z.string().nullable(),
    detail: z.record(z.string(), z.string()),
    reference: z
      .string()
      .nullable()
      .meta({ description: 'The `Reference` header of the answer to the request that did it.' }),
  }),
);

export const problem = name(
  'Problem',
  z
    .object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string().optional(),
      reference: z.string().meta({ description: 'Ties the answer to a line of the log.' }),
      errors: z
        .array(
          z.object({
            detail: z.string(),
            pointer: z.string().optional().meta({ description: 'JSON pointer of the wrong field of the body.' }),
            parameter: z.string().optional().meta({ description: 'Name of the wrong parameter of the query or path.' }),
          }),
        )
        .optional(),
    })
    .meta({ description: 'What went wrong (RFC 9457).' }),
);
