/** What speaks against a client as somebody wants to register it. Every door asks here, and is told the field. */
import { invalidInput } from '../kernel/errors.ts';
import { checkApiSettings } from './api-settings.ts';
import { checkAppSettings } from './app-settings.ts';
import type { Bounds } from './app-settings.ts';
import { authMethod, CLIENT_TYPES } from './client.ts';
import type { Client, ClientType } from './client.ts';
import type { NewClient } from './input.ts';
import { logoutProblem } from './logout-uris.ts';
import { checkProtocol } from './protocol-rules.ts';
import { GRANT_TYPES } from './protocol.ts';
import type { AuthMethod, ProtocolMetadata, SignedWith } from './protocol.ts';
import { redirectUriProblem } from './redirect-uri.ts';

const NAME_MAX = 200;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const REDIRECTING = new Set<ClientType>(['web', 'spa', 'native']);
const PAGE_FIELDS = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri'] as const;

function checkRedirects(input: NewClient): void {
  const { type, redirect_uris = [], post_logout_redirect_uris = [], protocol } = input;
  const redirects =
    protocol?.grant_types?.some((grant) => grant === 'authorization_code' || grant === 'implicit') ?? true;
  if (!REDIRECTING.has(type) && redirect_uris.length > 0)
    throw invalidInput(`a client of type ${type} has no redirect URIs`, 'redirect_uris');
  if (REDIRECTING.has(type) && redirects && redirect_uris.length === 0)
    throw invalidInput(`a client of type ${type} needs a redirect URI`, 'redirect_uris');
  for (const [field, uris] of Object.entries({ redirect_uris, post_logout_redirect_uris })) {
    for (const uri of uris) {
      const problem = redirectUriProblem(uri, type);
      if (problem) throw invalidInput(`${uri} ${problem}`, field);
    }
  }
}

function checkInput(input: NewClient): void {
  if (!CLIENT_TYPES.includes(input.type)) throw invalidInput(`type must be one of ${CLIENT_TYPES.join(', ')}`, 'type');
  if (input.name.trim() === '' || input.name.length > NAME_MAX)
    throw invalidInput(`name must have 1 to ${NAME_MAX} characters`, 'name');
  checkRedirects(input);
  const logout = logoutProblem(input);
  if (logout) throw invalidInput(...logout);
  const badScope = input.scope?.split(' ').find((scope) => !SCOPE.test(scope));
  if (badScope !== undefined)
    throw invalidInput(`scope ${JSON.stringify(badScope)} has characters that RFC 6749 does not allow`, 'scope');
  for (const field of PAGE_FIELDS) {
    const url = input[field] === undefined ? undefined : URL.parse(input[field]);
    if (url === null || (url && url.protocol !== 'https:' && url.protocol !== 'http:'))
      throw invalidInput(`${field} must be an http or https URL`, field);
  }
  if (input.initiate_login_uri !== undefined && !input.initiate_login_uri.startsWith('https:')) {
    throw invalidInput('initiate_login_uri must use https', 'initiate_login_uri');
  }
  if (input.resource !== undefined && input.type !== 'api')
    throw invalidInput('only an API has a resource identifier', 'resource');
  if (input.access_token_format !== undefined && input.type !== 'api')
    throw invalidInput('only an API has tokens of a form of its own', 'access_token_format');
  for (const field of ['resource', 'default_resource'] as const) {
    const uri = input[field];
    if (uri !== undefined && (!URL.canParse(uri) || uri.includes('#')))
      throw invalidInput(`${field} must be an absolute URI without fragment (RFC 8707)`, field);
  }
  if (input.dynamically_registered && input.first_party)
    throw invalidInput('an app that registered itself always asks for consent', 'first_party');
  if (input.always_issue_refresh_token && input.type !== 'web')
    throw invalidInput('only a web client may have always_issue_refresh_token', 'always_issue_refresh_token');
}

function checkProviders({ type, identity_providers = [] }: NewClient, known: string[]): void {
  if (identity_providers.length > 0 && !REDIRECTING.has(type))
    throw invalidInput(`nobody signs in to a client of type ${type}`, 'identity_providers');
  const unknown = identity_providers.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const those = known.length > 0 ? `there are ${known.join(', ')}` : 'none is configured';
  throw invalidInput(`no upstream provider is called ${unknown}; ${those}`, 'identity_providers');
}

function checkTheme({ type, theme }: NewClient, known: string[]): void {
  if (theme === undefined) return;
  if (!REDIRECTING.has(type)) throw invalidInput(`nobody sees pages of a client of type ${type}`, 'theme');
  const those = known.length > 0 ? `there are ${known.join(', ')}` : 'there is none in themes_dir';
  if (!known.includes(theme)) throw invalidInput(`no theme is called ${theme}; ${those}`, 'theme');
}

function checkAcr({ type, default_acr_values = [] }: NewClient, known: string[]): void {
  if (default_acr_values.length > 0 && !REDIRECTING.has(type))
    throw invalidInput(`nobody signs in to a client of type ${type}`, 'default_acr_values');
  const unknown = default_acr_values.find((value) => !known.includes(value));
  if (unknown !== undefined)
    throw invalidInput(`there is no acr value ${unknown}; there are ${known.join(', ')}`, 'default_acr_values');
}

/** What needs certificates is refused where none can be seen, rather than left out unnoticed. */
function checkMethod(method: AuthMethod, protocol: ProtocolMetadata | undefined, available: AuthMethod[]): void {
  if (!available.includes(method))
    throw invalidInput(`${method} is off: set mtls.enabled`, 'token_endpoint_auth_method');
  const field = 'tls_client_certificate_bound_access_tokens';
  if (protocol?.[field] && !available.includes('tls_client_auth'))
    throw invalidInput('mutual TLS is off: set mtls.enabled', field);
}

const SIGNED_FIELDS = [
  'userinfo_signed_response_alg',
  'introspection_signed_response_alg',
  'authorization_signed_response_alg',
] as const;

/** A client that wants what nobody can sign would be refused at every request. */
function checkSigned({ id_token_signed_response_alg, protocol }: NewClient, available: readonly SignedWith[]): void {
  const asked = { id_token_signed_response_alg, ...protocol };
  for (const field of ['id_token_signed_response_alg', ...SIGNED_FIELDS] as const) {
    const alg = asked[field];
    if (alg !== undefined && !available.includes(alg))
      throw invalidInput(`there are no keys for ${alg}: set keys.algorithms`, field);
  }
}

function checkGrants(asked: readonly string[] = [], on: readonly string[], before: readonly string[] = []): void {
  const off = asked.find(
    (grant) => !on.includes(grant) && !before.includes(grant) && (GRANT_TYPES as readonly string[]).includes(grant),
  );
  if (off !== undefined) throw invalidInput(`${off} is switched off in the configuration`, 'grant_types');
}

/** What there is here that clients can be registered for. */
export interface Available {
  /** Names of the upstream providers in the configuration. */
  providers: string[];
  /** Names of the themes there are. */
  themes: string[];
  /** `acr` values that sign-ins can reach. */
  acrValues: string[];
  /** How clients can prove themselves here. */
  authMethods: AuthMethod[];
  /** What there are signing keys for. */
  signedWith: readonly SignedWith[];
  /** How long tokens may live here. */
  bounds: Bounds;
  /** Grants that are switched on. */
  grants: readonly string[];
  /** The API with an identifier. */
  findByResource(resource: string): Promise<Client | undefined>;
}

/** What of a registration only the whole says: how it speaks the protocol, and how it proves itself. */
export interface Checked {
  /** Undefined where it has nothing of its own. */
  protocol: ProtocolMetadata | undefined;
  method: AuthMethod;
}

/** @param before as it is registered, where it is: a grant that was switched off since stays with it. @throws invalid_input naming the field. */
export async function checkClient(input: NewClient, available: Available, before?: Client): Promise<Checked> {
  checkInput(input);
  checkApiSettings(input, available.signedWith);
  checkProviders(input, available.providers);
  checkTheme(input, available.themes);
  checkAcr(input, available.acrValues);
  const isApi = async (resource: string) => (await available.findByResource(resource)) !== undefined;
  await checkAppSettings(input, available.bounds, isApi);
  if (input.default_resource !== undefined && !(await isApi(input.default_resource)))
    throw invalidInput(`no API has the resource identifier ${input.default_resource}`, 'default_resource');
  const { type, redirect_uris = [], protocol: asked } = input;
  const method = authMethod({ type, ...(asked && { protocol: asked }) });
  checkMethod(method, asked, available.authMethods);
  checkSigned(input, available.signedWith);
  checkGrants(input.protocol?.grant_types, available.grants, before?.protocol?.grant_types);
  const protocol = asked && checkProtocol(asked, { type, redirect_uris, method });
  return { protocol: protocol && Object.keys(protocol).length > 0 ? protocol : undefined, method };
}
