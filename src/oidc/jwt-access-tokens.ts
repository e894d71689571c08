/**
 * JWT access tokens (RFC 9068) are not stored; the library therefore knows nothing of them at userinfo, introspection and
 * revocation. Here they are made known: the `jti` carries its grant, sealed, so that a revoked grant, a suspended account or
 * a deleted client ends a token before it expires, and one token can be revoked by a mark that lasts as long as it would.
 */
import { jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Grant, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import { newId } from '../kernel/ids.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { SubjectOf } from './features/subjects.ts';
import { isRevoked, markRevoked } from './revocation-marks.ts';

const CONTEXT = 'jti';
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export const looksLikeJwt = (token: unknown): token is string => typeof token === 'string' && JWT_SHAPE.test(token);

/** @returns what a JWT access token says, if it is one of ours. @throws as `jose` does for any other. */
export type VerifyJwt = (jwt: string) => Promise<LiveToken['payload']>;

/** @param keys whose signatures are good. */
export const verifyJwt =
  (issuer: string, keys: JWTVerifyGetKey): VerifyJwt =>
  async (jwt) => {
    const { payload } = await jwtVerify<LiveToken['payload']>(jwt, keys, {
      issuer,
      typ: 'at+jwt',
      requiredClaims: ['jti', 'exp', 'client_id', 'sub'],
    });
    return payload;
  };

interface Needs {
  vault: Vault;
  records: SealedRecords;
  accounts: { find(id: string): Promise<Account | undefined> };
  verify: VerifyJwt;
  subjectOf: SubjectOf;
}

/** A token that is valid now: signed by us, unexpired, and nothing behind it revoked. */
export interface LiveToken {
  payload: JWTPayload & { client_id: string; scope?: string; jti: string; exp: number };
  /** Absent for client credentials, as is the account. */
  grantId: string | undefined;
  /** Uid of the session that the grant ends with, if it ends with one. */
  sessionUid: string | undefined;
  /** Whose it is: `sub` may be a pseudonym (pairwise subjects). */
  accountId: string | undefined;
}

export interface JwtAccessTokens {
  /** A `jti` that only we can lead back to its grant. */
  tokenId(grantId: string | undefined): string;
  find(provider: Provider, jwt: string): Promise<LiveToken | undefined>;
  revoke(token: LiveToken): Promise<void>;
}

export function createJwtAccessTokens({ vault, records, accounts, verify, subjectOf }: Needs): JwtAccessTokens {
  function grantIdOf(jti: string): string | undefined {
    try {
      return vault.open(Buffer.from(jti, 'base64url'), CONTEXT);
    } catch {
      return undefined; // not sealed: a client credentials token
    }
  }

  /** The token with whose it is, if nothing behind it is gone. */
  async function alive(provider: Provider, payload: LiveToken['payload']): Promise<LiveToken | undefined> {
    if (await isRevoked(records, payload.jti)) return undefined;
    const client = await provider.Client.find(payload.client_id);
    if (!client) return undefined;
    const grantId = grantIdOf(payload.jti);
    if (grantId === undefined)
      return payload.sub === payload.client_id
        ? { payload, grantId, accountId: undefined, sessionUid: undefined }
        : undefined;
    const grant: Grant | undefined = await provider.Grant.find(grantId);
    const accountId = grant?.accountId;
    if (accountId === undefined || grant!.clientId !== payload.client_id) return undefined;
    if (subjectOf(accountId, client) !== payload.sub) return undefined;
    const { sessionUid } = grant as { sessionUid?: string };
    if ((await accounts.find(accountId))?.state !== 'active') return undefined;
    return { payload, grantId, accountId, sessionUid };
  }

  return {
    tokenId: (grantId) => (grantId === undefined ? newId() : vault.seal(grantId, CONTEXT).toString('base64url')),
    async find(provider, jwt) {
      try {
        return await alive(provider, await verify(jwt));
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

function describe({ payload }: LiveToken): Record<string, unknown> {
  const { jkt } = (payload['cnf'] ?? {}) as { jkt?: string };
  return { active: true, ...payload, token_type: jkt === undefined ? 'Bearer' : 'DPoP' };
}

const INTROSPECTION_JWT = 'application/token-introspection+jwt';

/** As JSON, or for who asks for it or has registered its encryption as a JWT (RFC 9701, sections 4 and 5). */
async function answerIntrospection(provider: Provider, ctx: KoaContextWithOIDC, body: Record<string, unknown>) {
  const accepted = ctx.accepts('json', INTROSPECTION_JWT);
  const mustEncrypt = ctx.oidc.client!['introspectionEncryptedResponseAlg'] !== undefined;
  if (mustEncrypt && accepted !== INTROSPECTION_JWT) {
    ctx.status = 400;
    ctx.body = {
      error: 'invalid_request',
      error_description: `introspection must be requested with Accept: ${INTROSPECTION_JWT} for this client`,
    };
    return;
  }
  ctx.body = body;
  if (accepted !== INTROSPECTION_JWT) return;
  const token = new provider.IdToken({}, { ctx }) as unknown as IssuedJwt;
  token.extra = { token_introspection: body, aud: body['aud'] };
  ctx.body = await token.issue({ use: 'introspection' });
  ctx.type = `${INTROSPECTION_JWT}; charset=utf-8`;
}

interface IssuedJwt {
  extra: Record<string, unknown>;
  issue(options: { use: string }): Promise<string>;
}

/**
 * Answers introspection (RFC 7662) and revocation (RFC 7009) of JWT access tokens where the library, having authenticated
 * the client, gave up with `unsupported_token_type`.
 */
export const answerForJwts =
  (provider: Provider, tokens: JwtAccessTokens, onRevoked: (client: string, account: string | undefined) => void) =>
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
      await answerIntrospection(provider, ctx, token ? describe(token) : { active: false });
    } else {
      if (token) {
        await tokens.revoke(token);
        onRevoked(client.clientId, token.accountId);
      }
      ctx.remove('Content-Type');
      ctx.body = '';
    }
  };
