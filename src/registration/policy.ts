/** What apps that register themselves may have. */
import type { NewClient } from '../clients/clients.ts';
import type { Config } from '../config/schema.ts';
import { invalidInput } from '../kernel/errors.ts';
import { redirectScheme } from './metadata.ts';

interface Settings {
  registration: Config['registration'];
  /** Of the provider. */
  responseTypes: string[];
  allowPrivate: boolean;
  /** Whether a host is a name, or a public address. */
  isPublicHost(hostname: string): boolean;
}

/** Addresses that we fetch, or send something to. */
const FETCHED = ['logo_uri', 'backchannel_logout_uri'] as const;
const FETCHED_OF_PROTOCOL = ['jwks_uri', 'sector_identifier_uri', 'backchannel_client_notification_endpoint'] as const;
/** Addresses that people are shown as links, or sent to. */
const SHOWN = ['client_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri', 'frontchannel_logout_uri'] as const;
const INNER_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)\.?$/i;

const normalized = (types: string) => types.split(' ').toSorted().join(' ');

function checkAddresses(input: NewClient, { allowPrivate, isPublicHost }: Settings): void {
  if (allowPrivate) return;
  const fetched = [
    ...FETCHED.map((field) => [field, input[field]] as const),
    ...FETCHED_OF_PROTOCOL.map((field) => [field, input.protocol?.[field]] as const),
    ...[input.protocol?.request_uris ?? []].flat().map((uri) => ['request_uris', String(uri)] as const),
  ];
  for (const [field, uri] of fetched) {
    if (uri === undefined) continue;
    const url = URL.parse(uri);
    const isPublic = url && !INNER_NAME.test(url.hostname) && isPublicHost(url.hostname);
    if (url?.protocol !== 'https:' || !isPublic || url.username || url.password)
      throw invalidInput(`${field} must be a public https address`, field);
  }
  for (const field of SHOWN) {
    const url = input[field] === undefined ? undefined : URL.parse(input[field]);
    if (url === null || url?.username || url?.password) throw invalidInput(`${field} must be a plain address`, field);
  }
}

function mustBeAmong(field: string, values: string[], allowed: string[]): void {
  const other = values.find((value) => !allowed.includes(value));
  if (other !== undefined) throw invalidInput(`${field} may be ${allowed.join(', ')}, not ${other}`, field);
}

/**
 * @returns the client as it may be registered: without a scope of its own choice it gets all that may be had, never more.
 * @throws invalid_input naming the field.
 */
export function within(settings: Settings, input: NewClient): NewClient {
  const { grant_types, redirect_schemes, scopes } = settings.registration;
  const { protocol, redirect_uris = [] } = input;
  mustBeAmong('grant_types', protocol?.grant_types ?? [], grant_types);
  const types = Array.isArray(protocol?.response_types) ? protocol.response_types.map(String).map(normalized) : [];
  mustBeAmong('response_types', types, settings.responseTypes.map(normalized));
  const scheme = redirect_uris.find((uri) => !redirect_schemes.includes(redirectScheme(uri)));
  if (scheme !== undefined) {
    const allowed = redirect_schemes.join(', ');
    throw invalidInput(
      `${scheme} is of a kind that apps cannot register by themselves: ${allowed} may`,
      'redirect_uris',
    );
  }
  if (input.scope !== undefined) mustBeAmong('scope', input.scope.split(' '), scopes);
  checkAddresses(input, settings);
  return { ...input, scope: input.scope ?? scopes.join(' '), first_party: false };
}
