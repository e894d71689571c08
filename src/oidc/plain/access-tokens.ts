/** Access tokens of plain answers: sealed ones, and JWTs for APIs (RFC 9068). */
import type { Client } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { JwtAccessTokens } from '../jwt-access-tokens.ts';
import { accessTokenLifetime } from '../lifetimes.ts';
import type { ApiTokens } from '../resources.ts';
import type { SealedAccessTokens } from '../sealed-access-tokens.ts';
import type { SignJwt } from './jwt.ts';

/** What the token says, beside its own id, times and audience. */
export interface AccessTokenFacts {
  kind: 'AccessToken' | 'ClientCredentials';
  client: Client;
  /** The API that it is for; undefined where it is for nobody but us. */
  api: ApiTokens | undefined;
  scope: string | undefined;
  /** Of a person's token. */
  accountId?: string;
  grantId?: string;
  extra: Record<string, unknown> | undefined;
  /** What a sealed one keeps for us. */
  kept?: object;
}

export interface AccessTokens {
  issue(facts: AccessTokenFacts): Promise<{ value: string; expires_in: number }>;
}

interface Needs {
  config: Pick<Config, 'issuer' | 'lifetimes'>;
  sealedAccessTokens: Pick<SealedAccessTokens, 'seal'>;
  jwtAccessTokens: Pick<JwtAccessTokens, 'tokenId'>;
  signJwt: SignJwt;
}

export function createAccessTokens({ config, sealedAccessTokens, jwtAccessTokens, signJwt }: Needs): AccessTokens {
  const { issuer } = config;

  function sealed({ kind, client, api, scope, accountId, grantId, extra, kept }: AccessTokenFacts, exp: number) {
    return sealedAccessTokens.seal({
      iat: epochSeconds(),
      exp,
      jti: newId(),
      kind,
      clientId: client.clientId,
      ...kept,
      accountId,
      grantId,
      aud: api?.audience,
      scope,
      extra,
    });
  }

  const jwt = ({ client, api, scope, accountId, grantId, extra }: AccessTokenFacts, exp: number): Promise<string> =>
    signJwt(api!.jwt.sign.alg, 'at+jwt', {
      ...extra,
      jti: jwtAccessTokens.tokenId(grantId),
      sub: accountId ?? client.clientId,
      iat: epochSeconds(),
      exp,
      scope: scope === '' ? undefined : scope,
      client_id: client.clientId,
      iss: issuer,
      aud: api!.audience,
    });

  return {
    async issue(facts) {
      const expires_in = accessTokenLifetime(config.lifetimes, facts.client, facts.api?.accessTokenTTL);
      const exp = epochSeconds() + expires_in;
      const value = facts.api?.accessTokenFormat === 'jwt' ? await jwt(facts, exp) : sealed(facts, exp);
      return { value, expires_in };
    },
  };
}
