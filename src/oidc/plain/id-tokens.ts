/** ID tokens of plain refreshes (OpenID Connect Core, section 12.2): what the scopes of the grant name, and no `claims` of a request. */
import type { Client } from 'oidc-provider';
import type { Account } from '../../accounts/account.ts';
import type { Config } from '../../config/schema.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { claimsFor } from '../account.ts';
import type { SignIn } from '../account.ts';
import { CLAIMS_BY_SCOPE } from '../claims.ts';
import { idTokenLifetime } from '../lifetimes.ts';
import { MAPPED } from '../token-claims.ts';
import type { TokenClaims } from '../token-claims.ts';
import type { SignJwt } from './jwt.ts';

export interface IdTokenFacts {
  client: Client;
  account: Account;
  /** Of the refresh token. */
  scope: string;
  /** Those of them that the grant still gives. */
  granted: string;
  signIn: SignIn;
  nonce: string | undefined;
  sid: string | undefined;
}

export type IssueIdToken = (facts: IdTokenFacts) => Promise<string>;

interface Needs {
  config: Pick<Config, 'issuer' | 'lifetimes'>;
  tokenClaims: TokenClaims;
  signJwt: SignJwt;
}

const namesOf = (scope: string): string[] => scope.split(' ').flatMap((name) => CLAIMS_BY_SCOPE[name] ?? []);

export const createIdTokens =
  ({ config, tokenClaims, signJwt }: Needs): IssueIdToken =>
  async ({ client, account, scope, granted, signIn, nonce, sid }) => {
    const { [MAPPED]: mapped, ...claims } = await claimsFor(tokenClaims, {
      target: 'id_token',
      client,
      account,
      scope,
      asked: {},
    });
    const { acr, amr, authTime: auth_time } = signIn;
    const available: Record<string, unknown> = { ...claims, acr, amr, auth_time };
    const shown: Record<string, unknown> = {};
    for (const name of namesOf(granted)) if (Object.hasOwn(available, name)) shown[name] = available[name];
    const iat = epochSeconds();
    return signJwt(client.idTokenSignedResponseAlg!, undefined, {
      ...shown,
      ...mapped,
      nonce,
      sid,
      aud: client.clientId,
      exp: iat + idTokenLifetime(config.lifetimes, client),
      iat,
      iss: config.issuer,
    });
  };
