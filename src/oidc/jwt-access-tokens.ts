/**
 * JWT access tokens (RFC 9068) are not stored; the library therefore knows nothing of them at userinfo, introspection and
 * revocation. Here they are made known: the `jti` carries its grant, sealed, so that a revoked grant, a suspended account or
 * a deleted client ends a token before it expires, and one token can be revoked by a mark that lasts as long as it would.
 */
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import type { Grant, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import { newId } from '../kernel/ids.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { isRevoked, markRevoked } from './revocation-marks.ts';

const CONTEXT = 'jti';
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export const looksLikeJwt = (token: unknown): token is string => typeof token === 'string' && JWT_SHAPE.test(token);

interface Needs {
  vault: Vault;
  records: SealedRecords;
  accounts: { find(id: string): Promise<Account | undefined> };
  issuer: string;
  publicKeys: JSONWebKeySet;
}

/** A token that is valid now: signed by us, unexpired, and nothing behind it revoked. */
export interface LiveToken {
  payload: JWTPayload & { client_id: string; scope?: string; jti: string; exp: number };
  /** Absent for client credentials. */
  grantId: string | undefined;
}

export interface JwtAccessTokens {
  /** A `jti` that only we can lead back to its grant. */
  tokenId(grantId: string | undefined): string;
  find(provider: Provider, jwt: string): Promise<LiveToken | undefined>;
  revoke(token: LiveToken): Promise<void>;
}

export function createJwtAccessTokens({ vault, records, accounts, issuer, publicKeys }: Needs): JwtAccessTokens {
  const keys = createLocalJWKSet(publicKeys);

  function grantIdOf(jti: string): string | undefined {
    try {
      return vault.open(Buffer.from(jti, 'base64url'), CONTEXT);
    } catch {
      return undefined; // not sealed: a client credentials token
    }
  }

  async function isAlive(provider: Provider, { payload, grantId }: LiveToken): Promise<boolean> {
    if (await isRevoked(records, payload.jti)) return false;
    if (!(await provider.Client.find(payload.client_id))) return false;
    if (grantId === undefined) return payload.sub === payload.client_id;
    const grant: Grant | undefined = await provider.Grant.find(grantId);
    if (grant?.clientId !== payload.client_id || grant.accountId !== payload.sub) return false;
    return (await accounts.find(payload.sub!))?.state === 'active';
  }

  return {
    tokenId: (grantId) => (grantId === undefined ? newId() : vault.seal(grantId, CONTEXT).toString('base64url')),
    async find(provider, jwt) {
      try {
        const { payload } = await jwtVerify<LiveToken['payload']>(jwt, keys, {
          issuer,
          typ: 'at+jwt',
          requiredClaims: ['jti', 'exp', 'client_id', 'sub'],
        });
        const token = { payload, grantId: grantIdOf(payload.jti) };
        return (await isAlive(provider, token)) ? token : undefined;
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith('ERR_J')) return undefined; // forged, expired, or not one of ours
        throw error;
      }
    },
    revoke: ({ payload }) => markRevoked(records, payload),
  };
}

/** Whether `client` may learn of or revoke a token: it was issued to it, or it is the API that the token is for. */
export const concerns = (
  client: { clientId: string; resource?: unknown },
  token: { clientId?: string | undefined; aud?: unknown },
): boolean => token.clientId === client.clientId || (client.resource !== undefined && token.aud === client.resource);

/**
 * Answers introspection (RFC 7662) and revocation (RFC 7009) of JWT access tokens where the library, having authenticated
 * the client, gave up with `unsupported_token_type`.
 */
export const answerForJwts =
  (provider: Provider, tokens: JwtAccessTokens) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
    const route = oidc?.route;
    if (route !== 'introspection' && route !== 'revocation') return;
    const client = oidc?.client;
    const jwt = oidc?.params?.['token'];
    const gaveUp = (ctx.body as { error?: string } | undefined)?.error === 'unsupported_token_type';
    if (!gaveUp || !client || typeof jwt !== 'string') return;

    const live = await tokens.find(provider, jwt);
    const token =
      live && concerns(client, { clientId: live.payload.client_id, aud: live.payload.aud }) ? live : undefined;
    ctx.status = 200;
    if (route === 'introspection') {
      ctx.body = token
        ? { active: true, ...token.payload, token_type: token.payload['cnf'] ? 'DPoP' : 'Bearer' }
        : { active: false };
    } else {
      if (token) await tokens.revoke(token);
      ctx.remove('Content-Type');
      ctx.body = '';
    }
  };
