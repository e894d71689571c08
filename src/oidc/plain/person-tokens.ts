/** Access and ID tokens of a person, as the library issues them by what a code or a refresh token says. */
import type { Client } from 'oidc-provider';
import type { Account } from '../../accounts/account.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { Payload, SealedRecords } from '../../protocol/sealed-records.ts';
import { extraClaims } from '../account.ts';
import type { SignIn } from '../account.ts';
import type { TokenClaims } from '../token-claims.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { PlainAnswer } from './answers.ts';
import type { Apis } from './apis.ts';
import { grantedAt, grantedScope, isPlainGrant } from './grants.ts';
import type { PlainGrant } from './grants.ts';
import type { IssueIdToken } from './id-tokens.ts';

/** What codes and refresh tokens both say. */
const SAID_BY_BOTH = [
  'iat',
  'exp',
  'jti',
  'kind',
  'clientId',
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
];

/** A code or a refresh token as it was read. */
export interface PlainSource extends Payload, SignIn {
  exp: number;
  clientId: string;
  accountId: string;
  grantId: string;
  scope: string;
  resource?: string;
  nonce?: string;
  sid?: string;
  sessionUid?: string;
}

const isEmpty = (value: unknown): boolean => value === undefined || Object.keys(value as object).length === 0;

/**
 * Tells what asks for no more than the usual: what it says that is not named makes it special.
 * @param own what only this kind of source says.
 */
export function plainSource(own: string[]): (seen: Payload) => seen is PlainSource {
  const known = new Set([...SAID_BY_BOTH, ...own]);
  return (seen): seen is PlainSource =>
    Object.keys(seen).every((name) => known.has(name)) &&
    !seen['expiresWithSession'] &&
    isEmpty(seen['claims']) &&
    (typeof seen['resource'] === 'string' || isEmpty(seen['resource'])) &&
    typeof seen['scope'] === 'string';
}

/** Who is behind a source, of whom nothing has ended. */
export interface Living {
  grant: PlainGrant;
  account: Account;
}

export interface PersonTokens {
  /** Undefined where the source, its grant, its session or its person is at an end, or they do not go together. */
  livingOf(source: PlainSource, client: Client): Promise<Living | undefined>;
  /** @param gty how the tokens came about. */
  issue(
    source: PlainSource,
    living: Living,
    client: Client,
    gty: string,
  ): Promise<Omit<PlainAnswer['body'], 'refresh_token' | 'token_type'>>;
}

interface Needs {
  records: Pick<SealedRecords, 'find' | 'hasUid'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  apis: Apis;
  accessTokens: AccessTokens;
  issueIdToken: IssueIdToken;
  tokenClaims: TokenClaims;
}

export function createPersonTokens(needs: Needs): PersonTokens {
  const { records, accounts, apis, accessTokens, issueIdToken, tokenClaims } = needs;

  /** The grant that it is of, where it is alive, and the same client's and person's. */
  async function grantOf(source: PlainSource, client: Client): Promise<PlainGrant | undefined> {
    const grant = await records.find('Grant', source.grantId);
    if (!grant || !isPlainGrant(grant) || grant.exp <= epochSeconds()) return undefined;
    if (grant.clientId !== client.clientId || grant.accountId !== source.accountId) return undefined;
    if (grant.sessionUid !== undefined && !(await records.hasUid(grant.sessionUid))) return undefined;
    return grant;
  }

  return {
    async livingOf(source, client) {
      if (source.clientId !== client.clientId || source.exp <= epochSeconds()) return undefined;
      const grant = await grantOf(source, client);
      const account = grant && (await accounts.find(source.accountId));
      return account?.state === 'active' ? { grant: grant!, account } : undefined;
    },

    async issue(source, { grant, account }, client, gty) {
      const { resource, accountId, grantId, sessionUid, sid, nonce } = source;
      const api = typeof resource === 'string' ? await apis.find(resource, client) : undefined;
      const scopes = new Set(source.scope.split(' '));
      const granted = grantedScope(grant, scopes);
      const scope = api ? grantedAt(grant, resource!, scopes, api.scope.split(' ')) : granted;
      const signIn = source;
      const extra = await extraClaims(tokenClaims, { client, scopes: new Set(scope.split(' ')), account, signIn });
      const kept = { gty, sessionUid, sid };
      const facts = { kind: 'AccessToken', client, api, scope, accountId, grantId, extra, kept } as const;
      const { value: access_token, expires_in } = await accessTokens.issue(facts);
      const id_token = scopes.has('openid')
        ? await issueIdToken({ client, account, scope: source.scope, granted, signIn, nonce, sid })
        : undefined;
      return { access_token, expires_in, id_token, scope };
    },
  };
}
