/**
 * How a client speaks the protocol beyond the everyday: its own keys, how it proves who it is, what is signed, encrypted or bound.
 * Every name is that of RFC 7591, OpenID Connect Registration or the specification that adds it; what is absent has its default.
 */
import { z } from 'zod';
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

/** The JWT bearer grant (RFC 7523, section 2.1). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** The device grant (RFC 8628). */
export const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
/** Client-initiated backchannel authentication (OpenID Connect CIBA Core 1.0). */
export const CIBA = 'urn:openid:params:grant-type:ciba';

/** Grant types that a client has beyond those of its type, or in their place. */
export const GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'implicit',
  DEVICE,
  TOKEN_EXCHANGE,
  JWT_BEARER,
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
  /** Where its request objects are, for requests by reference. */
  request_uris: z.array(text).min(1).max(20).optional(),
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
  /**
   * JWT bearer grant: the issuers whose statements it may bring. `subject` says whom `sub` means: an `account` by its id, the account
   * that is `linked` to that subject of an upstream `provider`, or the `client` itself. `subjects` limits whom; `to` and `scopes` what for.
   */
  jwt_bearer: z
    .array(
      z.strictObject({
        issuer: text,
        jwks: jwks.optional(),
        jwks_uri: text.optional(),
        subject: z.enum(['account', 'linked', 'client']),
        provider: text.optional(),
        subjects: z.array(text).min(1).max(1000).optional(),
        to: z.array(text).min(1).max(50),
        scopes: z.array(text).max(100),
        /** Seconds. */
        max_lifetime: z.int().min(10).max(3600).default(300),
      }),
    )
    .min(1)
    .max(20)
    .optional(),
  fapi_profile: z.enum(['security', 'message_signing']).optional(),
});

export type ProtocolMetadata = z.output<typeof protocolSchema>;

/** Methods whose secret we must be able to read, not just to compare. */
export const needsPlainSecret = (method: AuthMethod): boolean => method === 'client_secret_jwt';
export const hasSecret = (method: AuthMethod): boolean => method.startsWith('client_secret_');
/** RFC 6749, section 2.1: whoever proves nothing is public. */
export const isPublicMethod = (method: AuthMethod): boolean => method === 'none';
