/** Access tokens that grants of our own are answered with: a JWT for one API, in a person's name or the client's own. */
import { errors } from 'oidc-provider';
import type { Client as ProviderClient, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { ADMIN_API } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { SigningAlgorithm } from '../../keys/signing-key.ts';
import { API_STANDARD_SCOPES } from '../claims.ts';
import { issueGrant } from '../grants.ts';
import { tokenSettings } from '../resources.ts';

export interface IssuingNeeds {
  api(resource: string): Promise<Client | undefined>;
  /** What access tokens can be signed with, the usual one first. */
  algorithms: SigningAlgorithm[];
  /** Seconds. */
  lifetime: () => number;
}

export const words = (text: string | undefined): string[] => text?.split(' ').filter(Boolean) ?? [];

export function textOf({ oidc }: KoaContextWithOIDC, name: string): string | undefined {
  const value = oidc.params?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @throws invalid_request where a key is to be in it: none of this client's tokens is ever without its binding. */
export function mayBeUnbound(ctx: KoaContextWithOIDC, client: ProviderClient): void {
  if (client['dpopBoundAccessTokens'] || client['tlsClientCertificateBoundAccessTokens'] || ctx.get('DPoP') !== '')
    throw new errors.InvalidRequest('tokens of this grant are not bound to keys');
}

/** The one API that the new token is for. @param allowed those that the client may get tokens for. @throws invalid_target. */
export async function targetOf(ctx: KoaContextWithOIDC, allowed: string[], api: IssuingNeeds['api']): Promise<Client> {
  const named = [textOf(ctx, 'resource'), textOf(ctx, 'audience')].filter((name) => name !== undefined);
  const [resource] = named;
  if (resource === undefined || new Set(named).size !== 1)
    throw new errors.InvalidTarget('name one API by resource or audience');
  const found = allowed.includes(resource) ? await api(resource) : undefined;
  if (!found || found.id === ADMIN_API) throw new errors.InvalidTarget('the client may not get tokens for this API');
  return found;
}

/** What the API offers; of that what an app registered, if it did. (What an API registers is what it offers itself.) */
export function offeredTo(client: ProviderClient, target: Client): string[] {
  const offered = [...words(target.scope ?? ''), ...API_STANDARD_SCOPES];
  const registered = client['client_type'] === 'api' ? [] : (client['allowed_scopes'] as string[]);
  return registered.length > 0 ? offered.filter((scope) => registered.includes(scope)) : offered;
}

interface TokenOptions {
  client: ProviderClient;
  gty?: string;
  scope: string | undefined;
  accountId?: string;
  grantId?: string;
}
interface Issued {
  resourceServer: object;
  save(): Promise<string>;
  expiration: number;
}

export interface ForApi {
  client: ProviderClient;
  target: Client;
  scopes: string[];
  gty: string;
  /** Seconds that the token may live at most. */
  longest: number;
  /** In whose name; the client's own where it is missing. `sessionUid`: of the session that it ends with. */
  person?: { accountId: string; sessionUid: string | undefined };
}

/** @returns what issues a token, and gives the answer of the token endpoint. */
export function createIssuing(provider: Provider, { api, algorithms, lifetime }: IssuingNeeds) {
  const { AccessToken, ClientCredentials, ResourceServer } = provider as unknown as {
    AccessToken: new (options: TokenOptions) => Issued;
    ClientCredentials: new (options: TokenOptions) => Issued;
    ResourceServer: new (identifier: string, info: object) => object;
  };

  async function tokenFor({ client, target, scopes, gty, person }: ForApi): Promise<Issued> {
    const scope = scopes.join(' ') || undefined;
    if (!person) return new ClientCredentials({ client, scope });
    const request = { scopes: [], resources: { [target.resource!]: scopes }, claims: [] };
    const grantId = await issueGrant(provider, { ...person, client, request, declined: [], api });
    return new AccessToken({ client, accountId: person.accountId, grantId, gty, scope });
  }

  return async (issued: ForApi): Promise<Record<string, unknown>> => {
    const { target, scopes, longest } = issued;
    const { alg, accessTokenTTL = lifetime() } = tokenSettings(target, algorithms);
    const token = await tokenFor(issued);
    token.resourceServer = new ResourceServer(target.resource!, {
      scope: scopes.join(' '),
      audience: target.resource,
      accessTokenFormat: 'jwt',
      accessTokenTTL: Math.max(1, Math.min(accessTokenTTL, longest)),
      jwt: { sign: { alg } },
    });
    const access_token = await token.save();
    return {
      access_token,
      token_type: 'Bearer',
      expires_in: token.expiration,
      ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    };
  };
}
