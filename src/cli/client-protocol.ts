/** The flags of `client create` and `client update` for how a client speaks the protocol. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { AUTH_METHODS, GRANT_TYPES } from '../clients/protocol.ts';
import type { AuthMethod, ProtocolMetadata } from '../clients/protocol.ts';
import { invalidInput } from '../kernel/errors.ts';

export interface ProtocolOptions {
  authMethod?: AuthMethod;
  jwks?: string;
  jwksUri?: string;
  grantType?: NonNullable<ProtocolMetadata['grant_types']>;
  requirePar?: boolean;
  requireSignedRequestObject?: boolean;
  dpopBoundAccessTokens?: boolean;
  certificateBoundAccessTokens?: boolean;
  tlsClientAuthSubjectDn?: string;
  subjectType?: 'public' | 'pairwise';
  sectorIdentifierUri?: string;
  fapi?: 'security' | 'message_signing';
  metadata?: string;
}

/** Such as `device_code`, by which everybody calls it. */
const shortName = (grant: string) => grant.split(':').at(-1)!;

function collectGrant(value: string, before: string[] = []): string[] {
  const grant = GRANT_TYPES.find((one) => one === value || shortName(one) === value);
  if (!grant) throw new InvalidArgumentError(`Allowed choices are ${GRANT_TYPES.map(shortName).join(', ')}.`);
  return [...before, grant];
}

export const addProtocolOptions = (command: Command): Command =>
  command
    .addOption(new Option('--auth-method <method>', 'how it proves who it is').choices(AUTH_METHODS))
    .option('--jwks <file>', 'file with its public keys, a JSON Web Key Set')
    .option('--jwks-uri <url>', 'where it publishes its public keys')
    .addOption(
      new Option('--grant-type <type>', 'grant it may use, in place of those of its type; may be repeated')
        .choices(GRANT_TYPES.map(shortName))
        .argParser(collectGrant),
    )
    .option('--require-par', 'it must push its authorization requests')
    .option('--require-signed-request-object', 'it must sign its authorization requests')
    .option('--dpop-bound-access-tokens', 'its tokens are good only with its DPoP key')
    .option('--certificate-bound-access-tokens', 'its tokens are good only with its TLS certificate')
    .option('--tls-client-auth-subject-dn <dn>', 'subject of its certificate, for tls_client_auth')
    .addOption(
      new Option('--subject-type <type>', 'pairwise: it knows people by a subject of its own').choices([
        'public',
        'pairwise',
      ]),
    )
    .option('--sector-identifier-uri <url>', 'list of redirect URIs that share pairwise subjects')
    .addOption(new Option('--fapi <profile>', 'FAPI 2.0').choices(['security', 'message_signing']))
    .option('--metadata <json>', 'anything else by the names of RFC 7591 and its extensions');

function readJson(text: string, flag: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidInput(`${flag} is not JSON`, flag);
  }
}

/** @throws invalid_input naming `field` where there is no JSON. */
export function readJsonFile(file: string, field: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw invalidInput(`${file} cannot be read`, field);
  }
  return readJson(text, field);
}

/** @returns what the flags say by the names of the standards, or undefined where they say nothing. @throws invalid_input. */
export function toProtocol(options: ProtocolOptions): ProtocolMetadata | undefined {
  const further = options.metadata === undefined ? {} : (readJson(options.metadata, 'metadata') as object);
  const given = {
    token_endpoint_auth_method: options.authMethod,
    jwks: options.jwks === undefined ? undefined : readJsonFile(options.jwks, 'jwks'),
    jwks_uri: options.jwksUri,
    grant_types: options.grantType,
    require_pushed_authorization_requests: options.requirePar,
    require_signed_request_object: options.requireSignedRequestObject,
    dpop_bound_access_tokens: options.dpopBoundAccessTokens,
    tls_client_certificate_bound_access_tokens: options.certificateBoundAccessTokens,
    tls_client_auth_subject_dn: options.tlsClientAuthSubjectDn,
    subject_type: options.subjectType,
    sector_identifier_uri: options.sectorIdentifierUri,
    fapi_profile: options.fapi,
  };
  const said = [...Object.entries(further), ...Object.entries(given)].filter(([, value]) => value !== undefined);
  // Checked where clients are registered.
  return said.length === 0 ? undefined : Object.fromEntries(said);
}
