/** What of a client's metadata does not go together, and what a profile adds to it. */
import { invalidInput } from '../kernel/errors.ts';
import { isLoopback } from '../kernel/urls.ts';
import { CIBA, isPublicMethod, JWT_BEARER, protocolSchema, TOKEN_EXCHANGE } from './protocol.ts';
import type { AuthMethod, ProtocolMetadata } from './protocol.ts';

const CERTIFICATE_SUBJECTS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;

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

function trustProblem(trusted: NonNullable<ProtocolMetadata['jwt_bearer']>): string | undefined {
  if (new Set(trusted.map(({ issuer }) => issuer)).size !== trusted.length) return 'names an issuer twice';
  for (const { issuer, jwks: keys, jwks_uri, subject, provider, subjects } of trusted) {
    if ((keys === undefined) === (jwks_uri === undefined)) return `of ${issuer} needs jwks or jwks_uri`;
    if (jwks_uri !== undefined && !isFetchable(jwks_uri)) return `of ${issuer}: jwks_uri must be an https URL`;
    if ((subject === 'linked') !== (provider !== undefined)) return `of ${issuer}: linked and provider need each other`;
    if (subject === 'client' && subjects === undefined)
      return `of ${issuer}: client needs the subjects that may speak for it`;
  }
  return undefined;
}

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
  ({ grant_types, jwt_bearer }, { method }) => {
    const brings = grant_types?.includes(JWT_BEARER) ?? false;
    if (brings !== (jwt_bearer !== undefined))
      return ['jwt_bearer', `and the grant type ${JWT_BEARER} need each other`];
    if (brings && isPublicMethod(method))
      return ['token_endpoint_auth_method', 'none is not for clients that bring statements of others'];
    const problem = jwt_bearer && trustProblem(jwt_bearer);
    return problem === undefined ? undefined : ['jwt_bearer', problem];
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
  // The fragment may be the hash of what is there (OpenID Connect Core, section 6.2).
  ({ request_uris = [] }) =>
    request_uris.every((uri) => isFetchable(uri.replace(/#[\w-]*$/, '')))
      ? undefined
      : ['request_uris', 'must be https URLs'],
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
