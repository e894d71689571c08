/** Tokens of programs that act for themselves (RFC 6749, section 4.4), as the library's own handler of this grant gives them. */
import type { Client } from 'oidc-provider';
import { extraClaims } from '../account.ts';
import { STANDARD_SCOPES } from '../claims.ts';
import type { TokenClaims } from '../token-claims.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Apis } from './apis.ts';
import type { PlainAnswer } from './answers.ts';

export const CLIENT_CREDENTIALS = 'client_credentials';
const PARAMETERS = new Set(['grant_type', 'scope', 'resource']);
const SCOPE = /^[\w.:/-]+(?: [\w.:/-]+)*$/;

interface Needs {
  apis: Apis;
  accessTokens: AccessTokens;
  tokenClaims: TokenClaims;
}

/** The scopes asked for; undefined where the library has more to say of them. */
function askedScopes(scope: string | undefined): string[] | undefined {
  if (scope === undefined) return [];
  if (!SCOPE.test(scope)) return undefined;
  const names = [...new Set(scope.split(' '))];
  return names.some((name) => STANDARD_SCOPES.includes(name)) ? undefined : names;
}

export const createClientCredentials =
  ({ apis, accessTokens, tokenClaims }: Needs) =>
  async (client: Client, params: Record<string, string>): Promise<PlainAnswer | undefined> => {
    const asked = askedScopes(params['scope']);
    if (!asked || client.clientAuthMethod === 'none' || !client.grantTypeAllowed(CLIENT_CREDENTIALS)) return undefined;
    if (!Object.keys(params).every((name) => PARAMETERS.has(name))) return undefined;
    const resource = params['resource'] ?? (client['default_resource'] as string | undefined);
    // Without an API there are standard scopes only.
    if (resource === undefined && asked.length > 0) return undefined;
    const api = resource === undefined ? undefined : await apis.find(resource, client);
    const offered = api?.scope.split(' ') ?? [];
    const scopes = asked.filter((name) => offered.includes(name));
    const scope = scopes.length > 0 ? scopes.join(' ') : undefined;
    const extra = await extraClaims(tokenClaims, { client, scopes: new Set(scopes), account: undefined, signIn: {} });
    const { value, expires_in } = await accessTokens.issue({ kind: 'ClientCredentials', client, api, scope, extra });
    return {
      body: { access_token: value, expires_in, scope, token_type: 'Bearer' },
      params: resource === undefined ? params : { ...params, resource },
      accountId: undefined,
    };
  };
