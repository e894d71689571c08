/**
 * The one file that reaches into `oidc-provider` beyond its documented options. Each change names the member it replaces and
 * why; all are on classes of one provider instance, none on the library's shared code.
 */
import type { IncomingMessage } from 'node:http';
import { errors, Provider } from 'oidc-provider';
import type { Client as ProviderClient, KoaContextWithOIDC } from 'oidc-provider';
import { isBuiltIn } from '../clients/client.ts';
import type { CurrentCaller } from '../kernel/caller.ts';
import { acrToTell } from '../factors/levels.ts';
import type { Proof } from '../factors/levels.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { ClientGuard } from '../limits/client-guard.ts';
import type { Limits } from '../limits/limits.ts';
import type { SessionApps } from '../logout/session-apps.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { acrsAsked, askedOf } from './asked.ts';
import { acceptEarlier, isAccepted } from './accepted-secrets.ts';
import type { WithSecrets } from './accepted-secrets.ts';
import type { AcceptedSecret } from './client-directory.ts';
import { looksLikeJwt } from './jwt-access-tokens.ts';
import type { JwtAccessTokens } from './jwt-access-tokens.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { SealedAccessTokens, TokenPayload } from './sealed-access-tokens.ts';
import { seenNow } from './sessions.ts';
import type { Seen } from './sessions.ts';
import { MAPPED } from './token-claims.ts';

interface Needs {
  records: SealedRecords;
  directory: { metadata(id: string): Promise<object | undefined> };
  jwtAccessTokens: JwtAccessTokens;
  sealedAccessTokens: SealedAccessTokens;
  refreshTokens: RefreshTokens;
  clientAddress: (req: IncomingMessage) => string;
  clientGuard: ClientGuard;
  limits: Pick<Limits, 'spend'>;
  caller: CurrentCaller;
  onSignIn(accountId: string, detail: Record<string, string>): Promise<void>;
  /** Which apps take part in a session. */
  apps: Pick<SessionApps, 'note' | 'prolong'>;
  /** Ends the session that a person signs out of. */
  signOut(ctx: KoaContextWithOIDC, session: { uid: string; accountId: string }): Promise<void>;
}

interface SessionProofs {
  acr?: string;
  proofs?: Proof[];
  loginAccount(details: object): void;
}

interface SessionModel {
  jti: string;
  uid: string;
  accountId?: string;
  loginTs?: number;
  amr?: string[];
  seen?: Seen | undefined;
  oldId?: string;
  exp?: number;
  touched: boolean;
  destroyed: boolean;
  getValueAndPayload(): Promise<{ payload: Record<string, unknown> }>;
  save(ttl: number): Promise<string>;
  destroy(): Promise<void>;
  sidFor(clientId: string): string | undefined;
}

interface CodeModel {
  accountId?: string;
  clientId: string;
  sessionUid?: string;
  scope?: string;
  save(ttl: number): Promise<string>;
}

interface InteractionModel {
  exp?: number;
  session?: { accountId?: string };
  save(ttl: number): Promise<string>;
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

/** How often the whole idle life of a session has passed since it began: what goes by it is prolonged when that changes. */
const periods = ({ since, at }: Seen, ttl: number): number => Math.floor((at - since) / ttl);

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

export function adaptLibrary(
  provider: Provider,
  {
    records,
    directory,
    jwtAccessTokens,
    sealedAccessTokens,
    refreshTokens,
    clientAddress,
    clientGuard,
    limits,
    caller,
    onSignIn,
    apps,
    signOut,
  }: Needs,
): void {
  const { Client, Grant, ReplayDetection } = provider as Provider & Record<'ReplayDetection', object>;
  const AccessToken = provider.AccessToken as unknown as TokenModel;
  sealInsteadOfStoring(AccessToken, sealedAccessTokens);
  sealInsteadOfStoring(provider.ClientCredentials as unknown as TokenModel, sealedAccessTokens);

  // The session a grant ends with is kept with it, so that ending a session finds its grants.
  const inPayload = [...Grant.IN_PAYLOAD, 'sessionUid'];
  Object.defineProperty(Grant, 'IN_PAYLOAD', { get: () => inPayload });

  // A session keeps what was proved, so that a step up asks for what is missing only.
  const { Session: SessionClass } = provider as unknown as {
    Session: { IN_PAYLOAD: string[]; prototype: SessionProofs };
  };
  const ofSession = [...SessionClass.IN_PAYLOAD, 'proofs'];
  Object.defineProperty(SessionClass, 'IN_PAYLOAD', { get: () => ofSession });
  const { loginAccount } = SessionClass.prototype;
  SessionClass.prototype.loginAccount = function login(details) {
    loginAccount.call(this, details);
    const { result } = (Provider.ctx?.oidc.entities.Interaction ?? {}) as { result?: { login?: { proofs?: Proof[] } } };
    this.proofs = result?.login?.proofs ?? [];
  };
  // Who asks for a level and gets a stronger one is told the level asked for (OpenID Connect Core, section 5.5.1.1).
  const { OIDCContext } = provider as unknown as { OIDCContext: { prototype: object } };
  Object.defineProperty(OIDCContext.prototype, 'acr', {
    get(this: { session: SessionProofs; params: Record<string, unknown>; client: object }) {
      const { proofs, acr } = this.session;
      return proofs?.length ? acrToTell(acrsAsked(askedOf(this.params, this.client)), proofs) : acr;
    },
  });

  // Anybody may begin a sign-in, and each is kept. Who is signed in has a session to answer for it.
  const { Interaction } = provider as unknown as { Interaction: { prototype: InteractionModel } };
  const { save: saveInteraction } = Interaction.prototype;
  Interaction.prototype.save = async function save(ttl) {
    const begins = this.exp === undefined && this.session?.accountId === undefined;
    if (begins && Provider.ctx) await limits.spend('authorization', { address: clientAddress(Provider.ctx.req) });
    return saveInteraction.call(this, ttl);
  };

  // Only the hash of a secret is stored, and stands where the library expects the secret. Every endpoint compares it here.
  Client.prototype.compareClientSecret = function compareClientSecret(
    this: { clientId: string; accepted_secrets?: AcceptedSecret[] },
    actual: string,
  ) {
    const address = Provider.ctx ? clientAddress(Provider.ctx.req) : 'unknown';
    return clientGuard.compared(this.clientId, address, isAccepted(actual, this.accepted_secrets ?? []));
  };

  // The library serializes and hashes a client's metadata at each look-up to find the client it made of it before.
  const made = new WeakMap<object, ProviderClient>();
  const findClient = Client.find.bind(Client);
  Client.find = async (id) => {
    const metadata = await directory.metadata(id);
    const known = metadata && made.get(metadata);
    if (known) return known;
    const client = await findClient(id);
    if (metadata && client) {
      made.set(metadata, client);
      acceptEarlier(client as unknown as WithSecrets);
      // Which types of authorization details it may ask for is ours to say: the library knows none by name, so it would allow none.
      Object.assign(client, { authorizationDetailsTypes: undefined });
    }
    return client;
  };

  // A request that loaded a session saves it at its end. Had the session been ended meanwhile, that would bring it back.
  const { Session } = provider as unknown as { Session: { IN_PAYLOAD: string[]; prototype: SessionModel } };
  // Where and when it was used is written down with what is saved anyway.
  const sessionPayload = [...Session.IN_PAYLOAD, 'seen'];
  Object.defineProperty(Session, 'IN_PAYLOAD', { get: () => sessionPayload });
  Session.prototype.save = async function save(ttl) {
    const loaded = typeof this.exp === 'number';
    const from = this.oldId ?? this.jti;
    this.exp = epochSeconds() + ttl;
    const { seen: before } = this;
    this.seen = seenNow(this, caller());
    const { payload } = await this.getValueAndPayload();
    if (!loaded) await records.upsert('Session', this.jti, payload, ttl);
    else if (!(await records.move('Session', from, this.jti, payload, ttl))) {
      this.destroyed = true;
      await revokeFreshGrant();
      throw new errors.LoginRequired('the session has ended');
    }
    delete this.oldId;
    this.touched = false;
    if (this.seen && this.seen.login_at !== before?.login_at) await noteSignIn(this.seen.account_id, this.amr);
    if (before && this.seen && periods(before, ttl) < periods(this.seen, ttl)) await apps.prolong(this.uid);
    return this.jti;
  };

  // The library destroys the session first and leaves the rest to us: whoever was stopped in between would have ended nothing else.
  const { destroy } = Session.prototype;
  Session.prototype.destroy = async function end() {
    const { ctx } = Provider;
    const { uid, accountId } = this;
    if (ctx?.oidc.route !== 'end_session_confirm' || accountId === undefined) return destroy.call(this);
    await signOut(ctx, { uid, accountId });
    this.destroyed = true;
  };

  // It would call the apps while the person waits, each once, and only those that the session remembers. Ours are queued.
  Object.assign(Client.prototype, { backchannelLogout: async () => undefined });
  // Whoever can be told of a log-out learns which session it will be about.
  Object.assign(Client.prototype, {
    includeSid(this: ProviderClient) {
      return Boolean(this.backchannelLogoutUri ?? this['frontchannel_logout_uri']);
    },
  });

  // Before an app gets a code, or its device learns that it may go on, it is written down that it takes part in the session.
  const { AuthorizationCode, DeviceCode } = provider as unknown as Record<string, { prototype: CodeModel }>;
  const { save: saveCode } = AuthorizationCode!.prototype;
  AuthorizationCode!.prototype.save = async function save(ttl) {
    const [saved] = await Promise.all([saveCode.call(this, ttl), noteApp(this)]);
    return saved;
  };
  const { save: saveDevice } = DeviceCode!.prototype;
  DeviceCode!.prototype.save = async function save(ttl) {
    await noteApp(this);
    return saveDevice.call(this, ttl);
  };

  async function noteApp({ accountId, clientId, sessionUid, scope = '' }: CodeModel): Promise<void> {
    const session = Provider.ctx?.oidc.session as unknown as SessionModel | undefined;
    const sid = session?.sidFor(clientId);
    if (accountId === undefined || sessionUid === undefined || sid === undefined || isBuiltIn(clientId)) return;
    const offline = scope.split(' ').includes('offline_access');
    await apps.note({ account_id: accountId, client_id: clientId, session_uid: sessionUid, sid, offline });
  }

  async function noteSignIn(accountId: string, amr: string[] = []): Promise<void> {
    const client_id = Provider.ctx?.oidc.client?.clientId;
    await onSignIn(accountId, { ...(client_id === undefined ? {} : { client_id }), amr: amr.join(' ') });
  }

  /** The grant that an authorization made of a session which is no more. */
  async function revokeFreshGrant(): Promise<void> {
    const grantId = Provider.ctx?.oidc.entities.AuthorizationCode?.grantId;
    if (grantId !== undefined) await records.revokeGrant(grantId, { withGrant: true });
  }

  // "Find, then save" lets every caller at once through; one atomic insert lets one.
  Object.assign(ReplayDetection, {
    unique: (iss: string, jti: string, exp: number) =>
      records.insertIfAbsent('ReplayDetection', `${iss}\n${jti}`, {}, Math.max(1, exp - epochSeconds())),
  });

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

interface LogoutTokenModel {
  mask: object;
  set(claim: string, value: unknown): void;
  issue(options: { use: 'logout' }): Promise<string>;
}

/**
 * A log-out token (OpenID Connect Back-Channel Logout 1.0, section 2.4), good for two minutes, signed as the client's ID tokens are
 * with the key of the moment. @throws where there is no such client any more.
 */
export async function signLogoutToken(
  provider: Provider,
  { client_id, sub, sid, jti }: { client_id: string; sub: string; sid: string | undefined; jti: string },
): Promise<string> {
  const client = await provider.Client.find(client_id);
  if (!client) throw new Error('the client is gone');
  const { IdToken } = provider as unknown as { IdToken: new (claims: object, options: object) => LogoutTokenModel };
  const token = new IdToken({ sub }, { client, ctx: undefined });
  token.mask = { sub: null };
  token.set('events', { 'http://schemas.openid.net/event/backchannel-logout': {} });
  token.set('jti', jti);
  if (sid !== undefined) token.set('sid', sid);
  return token.issue({ use: 'logout' });
}
