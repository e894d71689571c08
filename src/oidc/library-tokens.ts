/** Where `library.ts` reaches into tokens: what stands for them, when a refresh token is used up, what claims they carry. */
import { Provider } from 'oidc-provider';
import { looksLikeJwt } from './jwt-access-tokens.ts';
import type { JwtAccessTokens } from './jwt-access-tokens.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { SealedAccessTokens, TokenPayload } from './sealed-access-tokens.ts';
import { MAPPED } from './token-claims.ts';

export interface TokenNeeds {
  jwtAccessTokens: JwtAccessTokens;
  sealedAccessTokens: SealedAccessTokens;
  refreshTokens: RefreshTokens;
}

interface Token extends TokenPayload {
  format?: string;
  grantId?: string;
}

interface ClaimsModel {
  available: { [MAPPED]?: Record<string, unknown> };
  result(): Promise<Record<string, unknown>>;
}

interface IdTokenModel {
  issue(options: { use: string }): Promise<string>;
}

/** Whether the refresh under way gives an ID token too, after the access token. */
function idTokenFollows(): boolean {
  const { params, requestParamScopes, entities } = Provider.ctx!.oidc;
  return (params?.['scope'] ? requestParamScopes : entities.RefreshToken?.scopes)?.has('openid') ?? false;
}

interface TokenModel {
  new (payload: object): object;
  readonly name: string;
  prototype: {
    generateTokenId(): string;
    getValueAndPayload(): Promise<{ value: string; payload?: object }>;
    save(): Promise<string>;
    destroy(): Promise<void>;
  };
  find(value: string, options?: object): Promise<object | undefined>;
}

/** Opaque access tokens are handed out sealed instead of stored; JWTs never were stored. */
function sealInsteadOfStoring(model: TokenModel, tokens: SealedAccessTokens): void {
  const { getValueAndPayload } = model.prototype;
  model.prototype.getValueAndPayload = async function sealed() {
    const issued = await getValueAndPayload.call(this);
    return issued.payload && (this as unknown as Token).format === 'opaque'
      ? { value: tokens.seal(issued.payload) }
      : issued;
  };
  model.prototype.destroy = function revoke() {
    return tokens.revoke(this as unknown as Token);
  };
  model.find = async (value) => {
    const payload = await tokens.find(model.name, value);
    return payload && new model(payload);
  };
}

export function adaptTokens(
  provider: Provider,
  { jwtAccessTokens, sealedAccessTokens, refreshTokens }: TokenNeeds,
): void {
  const AccessToken = provider.AccessToken as unknown as TokenModel;
  sealInsteadOfStoring(AccessToken, sealedAccessTokens);
  sealInsteadOfStoring(provider.ClientCredentials as unknown as TokenModel, sealedAccessTokens);

  (provider.RefreshToken as unknown as TokenModel).prototype.generateTokenId = () =>
    refreshTokens.tokenId(Provider.ctx?.oidc.entities.RotatedRefreshToken);
  // The library would use up a refresh token before it looks at the `resource`, and before anything is signed: who asks for a wrong
  // one, or comes while the keys are out of reach, would be left with nothing, and be taken for a thief at the next attempt.
  const { save: saveAccessToken } = AccessToken.prototype;
  AccessToken.prototype.save = async function save() {
    const saved = await saveAccessToken.call(this);
    if (!idTokenFollows()) await refreshTokens.rotate();
    return saved;
  };
  const { IdToken } = provider as unknown as { IdToken: { prototype: IdTokenModel } };
  const { issue } = IdToken.prototype;
  IdToken.prototype.issue = async function issueLast(options) {
    const issued = await issue.call(this, options);
    if (options.use === 'idtoken') await refreshTokens.rotate();
    return issued;
  };

  // Of an account's claims the library lets through those that a scope names. What a claim table says stands beside them.
  const { Claims } = provider as unknown as { Claims: { prototype: ClaimsModel } };
  const { result } = Claims.prototype;
  Claims.prototype.result = async function withMapped() {
    return { ...(await result.call(this)), ...this.available[MAPPED] };
  };

  // JWT access tokens lead back to their grant, and userinfo accepts those that carry `openid`.
  const generateTokenId = AccessToken.prototype.generateTokenId;
  AccessToken.prototype.generateTokenId = function tokenId() {
    const id = generateTokenId.call(this); // also settles the token's format
    const { format, grantId } = this as unknown as Token;
    return format === 'jwt' ? jwtAccessTokens.tokenId(grantId) : id;
  };
  const findOpaque = AccessToken.find.bind(AccessToken);
  AccessToken.find = async (value, options) => {
    if (!looksLikeJwt(value)) {
      const found = (await findOpaque(value, options)) as { aud?: string } | undefined;
      // As with JWTs, below.
      if (found && Provider.ctx?.oidc.route === 'userinfo') delete found.aud;
      return found;
    }
    const live = await jwtAccessTokens.find(provider, value);
    if (live?.grantId === undefined) return undefined;
    const { payload, grantId, accountId } = live;
    const cnf = payload['cnf'] as { jkt?: string; 'x5t#S256'?: string } | undefined;
    // Without the audience: userinfo refuses tokens for an API, but these carry `openid` because the person granted it.
    const { jti, iat, exp, client_id: clientId, scope } = payload;
    return new AccessToken({ jti, iat, exp, accountId, clientId, scope, grantId, ...cnf });
  };
}
