/**
 * Refreshes (RFC 6749, section 6) by the newest token of a chain, as the library's own handler of this grant does them, with its checks in
 * its order. What a refresh token says that is not named here makes a refresh special.
 */
import type { Client } from 'oidc-provider';
import type { Account } from '../../accounts/account.ts';
import type { Config } from '../../config/schema.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { Payload, SealedRecords } from '../../protocol/sealed-records.ts';
import { extraClaims } from '../account.ts';
import type { SignIn } from '../account.ts';
import { refreshTokenLifetime } from '../lifetimes.ts';
import type { RefreshTokens } from '../refresh-tokens.ts';
import type { TokenClaims } from '../token-claims.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { PlainAnswer } from './answers.ts';
import type { Apis } from './apis.ts';
import { grantedAt, grantedScope, isPlainGrant } from './grants.ts';
import type { PlainGrant } from './grants.ts';
import type { IssueIdToken } from './id-tokens.ts';

export const REFRESH = 'refresh_token';
const PARAMETERS = new Set(['grant_type', 'refresh_token']);
const KNOWN = new Set([
  'iat',
  'exp',
  'jti',
  'kind',
  'clientId',
  'gty',
  'grantId',
  'expiresWithSession',
  'sessionUid',
  'accountId',
  'acr',
  'amr',
  'authTime',
  'claims',
  'nonce',
  'resource',
  'scope',
  'sid',
  'rotations',
  'iiat',
  'rotatedAt',
]);

/** A refresh token as it was read: nothing in it asks for more than the usual. */
interface PlainToken extends Payload, SignIn {
  exp: number;
  clientId: string;
  accountId: string;
  grantId: string;
  gty: string;
  scope: string;
  iiat: number;
  rotations?: number;
  resource?: string;
  nonce?: string;
  sid?: string;
  sessionUid?: string;
}

const isEmpty = (value: unknown): boolean => value === undefined || Object.keys(value as object).length === 0;

const isPlainToken = (seen: Payload): seen is PlainToken =>
  Object.keys(seen).every((name) => KNOWN.has(name)) &&
  !seen['expiresWithSession'] &&
  isEmpty(seen['claims']) &&
  (typeof seen['resource'] === 'string' || isEmpty(seen['resource'])) &&
  typeof seen['scope'] === 'string' &&
  typeof seen['gty'] === 'string' &&
  typeof seen['iiat'] === 'number';

interface Needs {
  config: Pick<Config, 'lifetimes'>;
  records: Pick<SealedRecords, 'find' | 'hasUid'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  refreshTokens: Pick<RefreshTokens, 'newest' | 'succeed'>;
  apis: Apis;
  accessTokens: AccessTokens;
  issueIdToken: IssueIdToken;
  tokenClaims: TokenClaims;
}

/** How the tokens came about, the refresh included. */
const withRefresh = (gty: string): string => (gty.endsWith(REFRESH) ? gty : `${gty} ${REFRESH}`);

/** What the next token of the chain keeps. */
function following(seen: PlainToken, next: string, ttl: number): Payload {
  const iat = epochSeconds();
  const rotations = typeof seen.rotations === 'number' ? seen.rotations + 1 : 1;
  return { ...seen, iat, exp: iat + ttl, jti: next, gty: withRefresh(seen.gty), rotations };
}

export function createRefresh(needs: Needs) {
  const { config, records, accounts, refreshTokens, apis, accessTokens, issueIdToken, tokenClaims } = needs;

  /** The grant that the token is of, where it is alive, and the same client's and person's. */
  async function grantOf(token: PlainToken, client: Client): Promise<PlainGrant | undefined> {
    const grant = await records.find('Grant', token.grantId);
    if (!grant || !isPlainGrant(grant) || grant.exp <= epochSeconds()) return undefined;
    if (grant.clientId !== client.clientId || grant.accountId !== token.accountId) return undefined;
    if (grant.sessionUid !== undefined && !(await records.hasUid(grant.sessionUid))) return undefined;
    return grant;
  }

  async function accessTokenOf(token: PlainToken, grant: PlainGrant, client: Client, account: Account) {
    const { resource, accountId, grantId, sessionUid, sid } = token;
    const api = typeof resource === 'string' ? await apis.find(resource, client) : undefined;
    const scopes = new Set(token.scope.split(' '));
    const scope = api ? grantedAt(grant, resource!, scopes, api.scope.split(' ')) : grantedScope(grant, scopes);
    const extra = await extraClaims(tokenClaims, {
      client,
      scopes: new Set(scope.split(' ')),
      account,
      signIn: token,
    });
    const kept = { gty: withRefresh(token.gty), sessionUid, sid };
    const facts = { kind: 'AccessToken', client, api, scope, accountId, grantId, extra, kept } as const;
    return { scope, ...(await accessTokens.issue(facts)) };
  }

  return async function refresh(client: Client, params: Record<string, string>): Promise<PlainAnswer | undefined> {
    const value = params['refresh_token'];
    if (value === undefined || !client.grantTypeAllowed(REFRESH)) return undefined;
    if (!Object.keys(params).every((name) => PARAMETERS.has(name))) return undefined;
    const newest = await refreshTokens.newest(value);
    const token = newest?.seen;
    if (!token || !isPlainToken(token)) return undefined;
    if (token.clientId !== client.clientId || token.exp <= epochSeconds()) return undefined;
    const grant = await grantOf(token, client);
    if (!grant) return undefined;
    const account = await accounts.find(token.accountId);
    if (account?.state !== 'active') return undefined;

    const { scope, value: access_token, expires_in } = await accessTokenOf(token, grant, client, account);
    const scopes = new Set(token.scope.split(' '));
    const id_token = scopes.has('openid')
      ? await issueIdToken({
          client,
          account,
          scope: token.scope,
          granted: grantedScope(grant, scopes),
          signIn: token,
          nonce: token.nonce,
          sid: token.sid,
        })
      : undefined;
    const ttl = refreshTokenLifetime(config.lifetimes, client, epochSeconds() - token.iiat);
    // Last of all: a refresh that fails leaves its token as it was.
    if (!(await refreshTokens.succeed(newest, following(token, newest.next, ttl), ttl))) return undefined;
    return {
      body: { access_token, expires_in, id_token, refresh_token: newest.next, scope, token_type: 'Bearer' },
      params,
      accountId: account.id,
    };
  };
}
