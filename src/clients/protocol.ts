/**
 * How a client speaks the protocol beyond the everyday: its own keys, how it proves who it is, what is signed, encrypted or bound.
 * Every name is that of RFC 7591, OpenID Connect Registration or the specification that adds it; what is absent has its default.
 */
import { z } from 'zod';
import { invalidInput } from '../kernel/errors.ts';
import { isLoopback } from '../kernel/urls.ts';
import { jwkProblem } from './jwk.ts';

export const AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'none',
] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** What we can sign with. */
export const SIGNED_WITH = ['RS256', 'ES256', 'PS256', 'EdDSA'] as const;
export type SignedWith = (typeof SIGNED_WITH)[number];
/** What clients may sign with. RFC 9700 and RFC 8725 leave out `none`; a shared secret signs nothing but `client_secret_jwt`. */
export const CLIENTS_SIGN_WITH = [
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
] as const;
export const ENCRYPTED_TO = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const;
export const ENCRYPTED_WITH = ['A128CBC-HS256', 'A128GCM', 'A256CBC-HS512', 'A256GCM'] as const;

/** Token exchange (RFC 8693). */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Client-initiated backchannel authentication (OpenID Connect CIBA Core 1.0). */
export const CIBA = 'urn:openid:params:grant-type:ciba';

/** Grant types that a client has beyond those of its type, or in their place. */
export const GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'implicit',
  'urn:ietf:params:oauth:grant-type:device_code',
  TOKEN_EXCHANGE,
  CIBA,
] as const;

const RESPONSE_MODES = ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'] as const;
const MOST_KEYS = 20;

const signed = z.enum(SIGNED_WITH);
const encryptionAlg = z.enum(ENCRYPTED_TO);
const encryptionEnc = z.enum(ENCRYPTED_WITH);
const text = z.string().min(1).max(2000);

const jwks = z
  .strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(MOST_KEYS) })
  .superRefine(({ keys }, context) => {
    keys.forEach((key, index) => {
      const problem = jwkProblem(key);
      if (problem) context.addIssue({ code: 'custom', path: ['keys', index], message: problem });
    });
  });

export const protocolSchema = z.strictObject({
  token_endpoint_auth_method: z.enum(AUTH_METHODS).optional(),
  token_endpoint_auth_signing_alg: z.enum(['HS256', ...CLIENTS_SIGN_WITH]).optional(),
  grant_types: z.array(z.enum(GRANT_TYPES)).min(1).optional(),
  response_types: z.array(text).optional(),
  response_modes: z.array(z.enum(RESPONSE_MODES)).min(1).optional(),
  jwks: jwks.optional(),
  jwks_uri: text.optional(),
  tls_client_auth_subject_dn: text.optional(),
  tls_client_auth_san_dns: text.optional(),
  tls_client_auth_san_uri: text.optional(),
  tls_client_auth_san_ip: text.optional(),
  tls_client_auth_san_email: text.optional(),
  tls_client_certificate_bound_access_tokens: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  require_signed_request_object: z.boolean().optional(),
  request_object_signing_alg: z.enum(CLIENTS_SIGN_WITH).optional(),
  authorization_signed_response_alg: signed.optional(),
  authorization_encrypted_response_alg: encryptionAlg.optional(),
  authorization_encrypted_response_enc: encryptionEnc.optional(),
  id_token_encrypted_response_alg: encryptionAlg.optional(),
  id_token_encrypted_response_enc: encryptionEnc.optional(),
  userinfo_signed_response_alg: signed.optional(),
  userinfo_encrypted_response_alg: encryptionAlg.optional(),
  userinfo_encrypted_response_enc: encryptionEnc.optional(),
  introspection_signed_response_alg: signed.optional(),
  introspection_encrypted_response_alg: encryptionAlg.optional(),
  introspection_encrypted_response_enc: encryptionEnc.optional(),
  /** CIBA: the client asks for its tokens (`poll`), or is told first when to ask (`ping`). */
  backchannel_token_delivery_mode: z.enum(['poll', 'ping']).optional(),
  backchannel_client_notification_endpoint: text.optional(),
  backchannel_authentication_request_signing_alg: z.enum(CLIENTS_SIGN_WITH).optional(),
  /** The types that it may ask for (RFC 9396, section 10); any where it is missing. */
  authorization_details_types: z.array(text).max(50).optional(),
  subject_type: z.enum(['public', 'pairwise']).optional(),
  sector_identifier_uri: text.optional(),
  default_max_age: z.int().min(0).optional(),
  require_auth_time: z.boolean().optional(),
  contacts: z.array(z.email()).max(10).optional(),
  /** FAPI 2.0: `security` is the Security Profile, `message_signing` adds signed requests and responses to it. */
  /**
   * Token exchange: the APIs whose tokens it may exchange (`from`), those it gets tokens for (`to`), and whether these hide that it
   * acts in the person's place (`impersonation`).
   */
  token_exchange: z
    .strictObject({
      from: z.array(text).min(1).max(50),
      to: z.array(text).min(1).max(50),
      impersonation: z.boolean().default(false),
    })
    .optional(),
  fapi_profile: z.enum(['security', 'message_signing']).optional(),
});

export type ProtocolMetadata = z.output<typeof protocolSchema>;

const CERTIFICATE_SUBJECTS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;

/** Methods whose secret we must be able to read, not just to compare. */
export const needsPlainSecret = (method: AuthMethod): boolean => method === 'client_secret_jwt';
export const hasSecret = (method: AuthMethod): boolean => method.startsWith('client_secret_');
/** RFC 6749, section 2.1: whoever proves nothing is public. */
export const isPublicMethod = (method: AuthMethod): boolean => method === 'none';

const isFetchable = (uri: string): boolean => {
  const url = URL.parse(uri);
  return (
    url !== null &&
    !url.hash &&
    !url.username &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))
  );
};

/** What FAPI 2.0 asks of a client (Security Profile, section 5.3.3), written into its metadata so that everybody sees it. */
function withProfile(metadata: ProtocolMetadata): ProtocolMetadata {
  if (metadata.fapi_profile === undefined) return metadata;
  const bound = metadata.tls_client_certificate_bound_access_tokens ? {} : { dpop_bound_access_tokens: true };
  const signing = metadata.fapi_profile === 'message_signing' ? { require_signed_request_object: true } : {};
  // FAPI takes no RS256, the default of JARM.
  const { authorization_signed_response_alg = 'ES256' } = metadata;
  return {
    ...metadata,
    authorization_signed_response_alg,
    ...bound,
    ...signing,
    require_pushed_authorization_requests: true,
  };
}

/** What every client with CIBA has said, written down where it did not (CIBA Core, section 4). */
function withDelivery(metadata: ProtocolMetadata): ProtocolMetadata {
  if (!metadata.grant_types?.includes(CIBA)) return metadata;
  const { backchannel_token_delivery_mode = 'poll' } = metadata;
  return { ...metadata, backchannel_token_delivery_mode };
}

interface Subject {
  type: string;
  redirect_uris: string[];
  method: AuthMethod;
}

type Rule = (metadata: ProtocolMetadata, subject: Subject) => [field: string, problem: string] | undefined;

const CIBA_FIELDS = [
  'backchannel_token_delivery_mode',
  'backchannel_client_notification_endpoint',
  'backchannel_authentication_request_signing_alg',
] as const;

const RULES: Rule[] = [
  ({ grant_types, token_exchange }, { method }) => {
    const exchanges = grant_types?.includes(TOKEN_EXCHANGE) ?? false;
    if (exchanges !== (token_exchange !== undefined))
      return ['token_exchange', `and the grant type ${TOKEN_EXCHANGE} need each other`];
    return exchanges && isPublicMethod(method)
      ? ['token_endpoint_auth_method', 'none is not for clients that exchange tokens']
      : undefined;
  },
  ({ grant_types, ...metadata }, { method, type }) => {
    const named = CIBA_FIELDS.find((name) => metadata[name] !== undefined);
    if (!grant_types?.includes(CIBA)) return named && [named, `is for clients with the grant type ${CIBA}`];
    if (type !== 'web' || isPublicMethod(method)) return ['grant_types', `${CIBA} is for clients of type web`];
    const pings = metadata.backchannel_token_delivery_mode === 'ping';
    return pings === (metadata.backchannel_client_notification_endpoint !== undefined)
      ? undefined
      : ['backchannel_client_notification_endpoint', 'and the delivery mode ping need each other'];
  },
  ({ jwks: keys, jwks_uri }) => (keys && jwks_uri ? ['jwks_uri', 'and jwks cannot both be given'] : undefined),
  ({ backchannel_client_notification_endpoint: uri }) =>
    uri !== undefined && (!isFetchable(uri) || !uri.startsWith('https:'))
      ? ['backchannel_client_notification_endpoint', 'must be an https URL without fragment']
      : undefined,
  ...(['jwks_uri', 'sector_identifier_uri'] as const).map(
    (field): Rule =>
      ({ [field]: uri }) =>
        uri !== undefined && !isFetchable(uri) ? [field, 'must be an https URL without fragment'] : undefined,
  ),
  (_, { type, method }) =>
    (type === 'spa' || type === 'native') && !isPublicMethod(method)
      ? ['token_endpoint_auth_method', `of a client of type ${type} is none: whoever has the app has its secret`]
      : undefined,
  (_, { type, method }) =>
    type !== 'spa' && type !== 'native' && isPublicMethod(method)
      ? ['token_endpoint_auth_method', `none is for clients of type spa and native`]
      : undefined,
  (metadata, { method }) => {
    const needing = needsKeys(metadata, method);
    return needing && !metadata.jwks && !metadata.jwks_uri
      ? ['jwks', `or jwks_uri is needed by ${needing}`]
      : undefined;
  },
  (metadata, { method }) => {
    const given = CERTIFICATE_SUBJECTS.filter((name) => metadata[name] !== undefined);
    const wanted = method === 'tls_client_auth' ? 1 : 0;
    if (given.length === wanted) return undefined;
    return wanted === 1
      ? ['tls_client_auth_subject_dn', 'or exactly one other tls_client_auth_… is needed by tls_client_auth']
      : [given[0]!, 'is for the method tls_client_auth'];
  },
  ({ tls_client_certificate_bound_access_tokens: tls, dpop_bound_access_tokens: dpop }) =>
    tls && dpop ? ['dpop_bound_access_tokens', 'and certificate-bound tokens exclude each other'] : undefined,
  ({ token_endpoint_auth_signing_alg: alg }, { method }) => {
    if (alg === undefined) return undefined;
    const fits = method === 'private_key_jwt' ? alg !== 'HS256' : method === 'client_secret_jwt' && alg === 'HS256';
    return fits ? undefined : ['token_endpoint_auth_signing_alg', `${alg} does not fit ${method}`];
  },
  (metadata) => {
    for (const name of ['authorization', 'id_token', 'userinfo', 'introspection'] as const)
      if (metadata[`${name}_encrypted_response_enc`] && !metadata[`${name}_encrypted_response_alg`])
        return [`${name}_encrypted_response_alg`, 'is needed with its enc'];
    return undefined;
  },
  ({ userinfo_encrypted_response_alg: encrypted, userinfo_signed_response_alg: alg }) =>
    encrypted && !alg ? ['userinfo_signed_response_alg', 'is needed where userinfo is encrypted'] : undefined,
  ({ subject_type, sector_identifier_uri }, { redirect_uris }) =>
    subject_type === 'pairwise' &&
    sector_identifier_uri === undefined &&
    new Set(redirect_uris.map((uri) => URL.parse(uri)?.host)).size !== 1
      ? ['sector_identifier_uri', 'is needed by pairwise subjects unless all redirect URIs have one host']
      : undefined,
  ({ fapi_profile }, { method }) =>
    fapi_profile !== undefined &&
    !['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'].includes(method)
      ? ['token_endpoint_auth_method', 'must be private_key_jwt or one of mutual TLS for FAPI 2.0']
      : undefined,
];

/** What of the metadata cannot do without keys of the client. */
function needsKeys(metadata: ProtocolMetadata, method: AuthMethod): string | undefined {
  if (method === 'private_key_jwt' || method === 'self_signed_tls_client_auth') return method;
  return (
    [
      'require_signed_request_object',
      'request_object_signing_alg',
      'backchannel_authentication_request_signing_alg',
      'id_token_encrypted_response_alg',
      'userinfo_encrypted_response_alg',
      'introspection_encrypted_response_alg',
      'authorization_encrypted_response_alg',
    ] as const
  ).find((name) => metadata[name]);
}

/**
 * @returns the metadata as they are kept, with what a profile adds to them. @throws invalid_input naming the field.
 */
export function checkProtocol(input: unknown, subject: Subject): ProtocolMetadata {
  const parsed = protocolSchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const unknown = issue!.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const field = unknown ?? String(issue!.path[0] ?? 'metadata');
    throw invalidInput(unknown ? `${unknown} is not known` : `${issue!.path.join('.')}: ${issue!.message}`, field);
  }
  const metadata = withDelivery(withProfile(parsed.data));
  for (const rule of RULES) {
    const found = rule(metadata, subject);
    if (found) throw invalidInput(found.join(' '), found[0]);
  }
  return metadata;
}
