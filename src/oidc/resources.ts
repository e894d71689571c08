/** Resource indicators (RFC 8707): APIs are registered clients of type `api`, and their access tokens are JWTs (RFC 9068) unless they want to be asked each time. */
import { errors } from 'oidc-provider';
import type { Client as ProviderClient, Configuration } from 'oidc-provider';
import { ADMIN_API } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import type { SigningAlgorithm } from '../keys/signing-key.ts';
import { API_STANDARD_SCOPES } from './claims.ts';

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>;

interface Needs {
  api(resource: string): Promise<Client | undefined>;
}

/**
 * The scopes a client may get at an API: what both sides registered. A person's consent stands behind every other client, so
 * only a service, which acts for itself, gets nothing it has not registered; nor does any app at the admin API.
 */
export function scopesAt(api: Client, client: ProviderClient): string[] {
  const offered = api.scope?.split(' ') ?? [];
  const allowed = client['allowed_scopes'] as string[];
  if (client['client_type'] === 'service') return offered.filter((scope) => allowed.includes(scope));
  return [
    ...(allowed.length > 0 || api.id === ADMIN_API ? offered.filter((scope) => allowed.includes(scope)) : offered),
    ...API_STANDARD_SCOPES,
  ];
}

/** How long tokens for it live and what signs them, where the API says so. */
export const tokenSettings = (
  { access_token_lifetime, access_token_signing_alg }: Client,
  algorithms: SigningAlgorithm[],
) => ({
  ...(access_token_lifetime === undefined ? {} : { accessTokenTTL: access_token_lifetime }),
  // Keys of an algorithm may be gone since.
  alg: algorithms.find((alg) => alg === access_token_signing_alg) ?? algorithms[0] ?? ('RS256' as const),
});

/** Whether the client may have tokens for an API: for any where it names none. */
function mayAskFor(client: ProviderClient, resource: string): boolean {
  const allowed = (client['allowed_resources'] ?? []) as string[];
  return allowed.length === 0 || allowed.includes(resource);
}

/** What tokens for an API are like, as the library takes it. */
export interface ApiTokens {
  /** What the client may have there, in words. */
  scope: string;
  audience: string;
  accessTokenFormat: 'jwt' | 'opaque';
  /** Seconds. */
  accessTokenTTL?: number;
  jwt: { sign: { alg: SigningAlgorithm } };
}

/**
 * @param algorithms what access tokens can be signed with, the usual one first.
 * @throws InvalidTarget where there is no such API, or the client may not have tokens for it.
 */
export async function apiTokens(
  { api }: Needs,
  algorithms: SigningAlgorithm[],
  resource: string,
  client: ProviderClient,
): Promise<ApiTokens> {
  const found = await api(resource);
  if (!found) throw new errors.InvalidTarget(undefined, `no API is registered for the resource ${resource}`);
  if (!mayAskFor(client, resource))
    throw new errors.InvalidTarget(undefined, `the client is not allowed tokens for the resource ${resource}`);
  const { alg, ...ttl } = tokenSettings(found, algorithms);
  return {
    ...ttl,
    scope: scopesAt(found, client).join(' '),
    audience: resource,
    accessTokenFormat: found.access_token_format ?? 'jwt',
    jwt: { sign: { alg } },
  };
}

/** @param algorithms as of `apiTokens`. */
export function resourceIndicators(needs: Needs, algorithms: SigningAlgorithm[]): ResourceIndicators {
  return {
    enabled: true,
    defaultResource: async (_ctx, client, oneOf) => {
      const preferred = client['default_resource'] as string | undefined;
      if (oneOf) return preferred !== undefined && oneOf.includes(preferred) ? preferred : [...oneOf];
      return preferred;
    },
    useGrantedResource: async () => true,
    getResourceServerInfo: (_ctx, resource, client) => apiTokens(needs, algorithms, resource, client),
  };
}
