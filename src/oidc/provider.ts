/**
 * The protocol engine: the only `new Provider` of the program, configured from our rooms. Everything here is built around
 * the library's documented options; `library.ts` holds the few exceptions.
 */
import type { IncomingMessage } from 'node:http';
import compose from 'koa-compose';
import { Provider } from 'oidc-provider';
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/schema.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { IdentityStore } from '../federation/store.ts';
import type { Factors } from '../factors/factors.ts';
import { ACR_VALUES } from '../factors/levels.ts';
import type { LiveKeys } from '../keys/live-keys.ts';
import { activeKey } from '../keys/signing-key.ts';
import type { SigningKey } from '../keys/signing-key.ts';
import type { CurrentCaller } from '../kernel/caller.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { KeySetFetches } from '../keys/fetches.ts';
import type { ClientGuard } from '../limits/client-guard.ts';
import type { Limits } from '../limits/limits.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { SessionApps } from '../logout/session-apps.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { RoleBook } from '../roles/book.ts';
import { extraTokenClaims, findAccount } from './account.ts';
import type { Asking } from './asking.ts';
import { createAdapterFactory } from './adapter.ts';
import { keepKnownClaims } from './asked-claims.ts';
import { boundRequest } from './bounds.ts';
import { CLAIMS_BY_SCOPE, STANDARD_SCOPES } from './claims.ts';
import { CLIENT_PROPERTIES } from './client-directory.ts';
import type { ClientDirectory } from './client-directory.ts';
import { authorizationDetailsFeatures, nameDetailTypes } from './features/authorization-details.ts';
import { correctCibaMetadata, queuePings } from './features/ciba.ts';
import type { CibaNeeds } from './features/ciba.ts';
import { protocolConfiguration, protocolFeatures } from './features/features.ts';
import type { ClientFetch } from './features/features.ts';
import { fillInCode, guardUserCodes } from './features/device.ts';
import type { DevicePages } from './features/device.ts';
import { nameAliases } from './features/mutual-tls.ts';
import type { MutualTls } from './features/mutual-tls.ts';
import { enableJwtBearer } from './features/jwt-bearer.ts';
import { fetchRequestObjects, nameRequestUris } from './features/request-uri.ts';
import { enableTokenExchange } from './features/token-exchange.ts';
import { slowDownPolling } from './features/polling.ts';
import { createSubjects } from './features/subjects.ts';
import { loadGrant } from './grants.ts';
import { answerForJwts, concerns, createJwtAccessTokens, verifyJwt } from './jwt-access-tokens.ts';
import type { JwtAccessTokens, LiveToken, VerifyJwt } from './jwt-access-tokens.ts';
import { cacheKeySet } from './key-set.ts';
import { adaptLibrary } from './library.ts';
import { lifetimes } from './lifetimes.ts';
import { restoreOfflineAccess } from './offline-access.ts';
import { createPolicy } from './policy.ts';
import { createProviderSwitch } from './provider-switch.ts';
import type { ProviderSwitch } from './provider-switch.ts';
import { except, exceptPrograms, only } from './program-endpoints.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import { resourceIndicators } from './resources.ts';
import { createReuse } from './reuse.ts';
import type { EndedFamily } from './reuse.ts';
import { noteFinished } from './restarts.ts';
import type { Restarts } from './restarts.ts';
import { createSealedAccessTokens } from './sealed-access-tokens.ts';
import type { SealedAccessTokens } from './sealed-access-tokens.ts';
import { createSignOut, skipEmptySignOut } from './sign-out.ts';
import type { SignOutNeeds } from './sign-out.ts';
import { keySet, verificationKeys } from './signing-keys.ts';
import { noteRevocations, revoked } from './token-events.ts';
import type { TokenEvent } from './token-events.ts';
import { createTokenClaims } from './token-claims.ts';
import type { TokenClaims } from './token-claims.ts';

/** What the library shows to people, drawn by a web room. */
export interface ProviderPages {
  error(
    ctx: KoaContextWithOIDC,
    response: { error: string; error_description?: string },
    error: Error,
  ): Promise<void> | void;
  signOut(ctx: KoaContextWithOIDC): Promise<void> | void;
  signedOut(ctx: KoaContextWithOIDC): Promise<void> | void;
}

export interface ProviderNeeds {
  config: Pick<
    Config,
    | 'issuer'
    | 'secrets'
    | 'lifetimes'
    | 'factors'
    | 'oauth'
    | 'device_flow'
    | 'ciba'
    | 'keys'
    | 'registration'
    | 'client_documents'
  >;
  liveKeys: LiveKeys;
  keySetFetches: Pick<KeySetFetches, 'note'>;
  records: SealedRecords;
  directory: ClientDirectory;
  accounts: CibaNeeds['accounts'];
  asking: Asking;
  identities: Pick<IdentityStore, 'find'>;
  /** Roles, groups and claim tables. */
  book: Pick<RoleBook, 'current'>;
  consents: ConsentStore;
  factors: Pick<Factors, 'of' | 'graceLeft'>;
  /** Passkeys can be added on the way to a sign-in. */
  canEnrolPasskey: boolean;
  vault: Vault;
  clientFetch: ClientFetch;
  devicePages: DevicePages;
  mutualTls: MutualTls | undefined;
  restarts: Restarts;
  /** A mark that only this browser can show again. */
  browserOf: (ctx: KoaContextWithOIDC) => string;
  limits: Pick<Limits, 'spend' | 'guess'>;
  pages: ProviderPages;
  clientAddress: (req: IncomingMessage) => string;
  clientGuard: ClientGuard;
  caller: CurrentCaller;
  /** Somebody proved who they are, and their session knows. */
  onSignIn(accountId: string, detail: Record<string, string>): Promise<void>;
  /** What becomes of tokens. */
  onToken(event: TokenEvent): void;
  /** A family of tokens was ended because a used refresh token was sent again. */
  onReuse(family: EndedFamily): Promise<void>;
  logOuts: SignOutNeeds & { apps: Pick<SessionApps, 'note' | 'prolong'> };
}

/** On https every cookie is `Secure`; the library scopes two of them to a path, where browsers refuse `__Host-`. */
function cookies({ issuer, secrets }: ProviderNeeds['config']): NonNullable<Configuration['cookies']> {
  const https = issuer.startsWith('https:');
  const options = { signed: true, httpOnly: true, sameSite: 'lax', secure: https, overwrite: true } as const;
  const prefix = https ? '__Secure-' : '';
  return {
    keys: secrets.cookie_keys,
    names: {
      session: `${https ? '__Host-' : ''}gatehouse_session`,
      interaction: `${prefix}gatehouse_interaction`,
      resume: `${prefix}gatehouse_resume`,
    },
    long: options,
    short: options,
  };
}

function configuration({
  config,
  keys,
  liveKeys,
  records,
  directory,
  refreshTokens,
  accounts,
  consents,
  factors,
  canEnrolPasskey,
  restarts,
  browserOf,
  pages,
  ...needs
}: ProviderNeeds & { refreshTokens: RefreshTokens; tokenClaims: TokenClaims; keys: SigningKey[] }): Configuration {
  // What no key signs yet is not offered.
  const algorithms = config.keys.algorithms.filter((alg) => activeKey(keys, alg));
  const mayLearn = async (
    _ctx: KoaContextWithOIDC,
    client: object,
    token: { clientId?: string | undefined; aud?: unknown; accountId?: string | undefined },
  ) =>
    concerns(client as never, token) &&
    (token.accountId === undefined || (await accounts.find(token.accountId))?.state === 'active');
  return {
    adapter: createAdapterFactory({ records, directory, refreshTokens }),
    jwks: { keys: keySet(keys, liveKeys.sign) },
    cookies: cookies(config),
    ttl: lifetimes(config.lifetimes, config),
    scopes: STANDARD_SCOPES,
    claims: { ...CLAIMS_BY_SCOPE, iss: null, sid: null },
    acrValues: ACR_VALUES,
    conformIdTokenClaims: false,
    responseTypes: config.oauth.response_types,
    ...protocolConfiguration({ ...needs, signedWith: algorithms }),
    extraClientMetadata: { properties: [...CLIENT_PROPERTIES] },
    extraParams: { idp_hint: restoreOfflineAccess },
    pkce: { required: (_ctx, client) => needsPkce(config.oauth, client) },
    rotateRefreshToken: true,
    issueRefreshToken: async (ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      ((source.scopes.has('offline_access') && mayStay(ctx)) || client['always_issue_refresh_token'] === true),
    // Ours to decide, by grant: the library would also end the tokens of a second tab's authorization.
    expiresWithSession: async () => false,
    // Private-use schemes have the opaque origin "null", as has every sandboxed frame.
    clientBasedCORS: (_ctx, origin, client) =>
      origin !== 'null' && (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    findAccount: findAccount({ accounts, records, tokenClaims: needs.tokenClaims }),
    extraTokenClaims: extraTokenClaims(needs),
    loadExistingGrant: loadGrant({ consents, directory }),
    interactions: {
      policy: createPolicy({ settings: config.factors, factors, book: needs.book, canEnrolPasskey }),
      async url(ctx, interaction) {
        await restarts.remember(interaction, browserOf(ctx));
        return `${issuerPath(config.issuer)}/interaction/${interaction.uid}`;
      },
    },
    routes: { userinfo: '/userinfo' },
    discovery: {
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      ...(config.client_documents.mode === 'off' ? {} : { client_id_metadata_document_supported: true }),
      ...(config.registration.mode === 'off' ? {} : { registration_endpoint: `${config.issuer}/register` }),
    },
    renderError: (ctx, response, error) => pages.error(ctx, response as { error: string }, error),
    features: {
      ...protocolFeatures({ ...needs, config, accounts }),
      ...(authorizationDetailsFeatures(directory) as object),
      devInteractions: { enabled: false },
      claimsParameter: {
        enabled: true,
        assertClaimsParameter: async (ctx, claims, client) => keepKnownClaims(ctx, claims, client),
      },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: mayLearn },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => concerns(client, token),
      },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      resourceIndicators: resourceIndicators(directory, algorithms),
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx) => pages.signOut(ctx),
        postLogoutSuccessSource: async (ctx) => pages.signedOut(ctx),
      },
      backchannelLogout: { enabled: true },
    },
  };
}

/** Of every client; where tests spare it, still of those that have nothing else (RFC 9700, section 2.1.1) and of FAPI 2.0. */
const needsPkce = ({ require_pkce }: Config['oauth'], client: Client): boolean =>
  require_pkce || client.clientAuthMethod === 'none' || client['fapi_profile'] !== undefined;

/** What was asked for may have been left out by the person: a backchannel request is not narrowed to what they allowed. */
const mayStay = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.entities.Grant?.getOIDCScopeFiltered(new Set(['offline_access'])) !== '';

const accessTokens = new WeakMap<Provider, JwtAccessTokens>();

/** A JWT access token of this provider that is valid now, for APIs of our own: undefined for any other. */
export const findAccessToken = async (provider: Provider, token: string): Promise<LiveToken | undefined> =>
  accessTokens.get(provider)?.find(provider, token);

/** What outlives the instances of the library that come and go with the signing keys. */
export interface Lasting extends ProviderNeeds {
  tokenClaims: TokenClaims;
  refreshTokens: RefreshTokens;
  jwtAccessTokens: JwtAccessTokens;
  sealedAccessTokens: SealedAccessTokens;
  signOut: ReturnType<typeof createSignOut>;
}

/** One instance of the library, with these keys. */
export function createInstance(needs: Lasting, keys: SigningKey[]): Provider {
  const { config, jwtAccessTokens, signOut, logOuts } = needs;
  const provider = new Provider(config.issuer, configuration({ ...needs, keys }));
  adaptLibrary(provider, { ...needs, apps: logOuts.apps, signOut: signOut.end });
  if (config.device_flow.enabled) guardUserCodes(provider, needs);
  queuePings(provider);
  slowDownPolling(provider, needs);
  const issuing = {
    api: needs.directory.api,
    findAccount: findAccount(needs),
    algorithms: config.keys.algorithms.filter((alg) => activeKey(keys, alg)),
    lifetime: () => config.lifetimes.access_token,
  };
  enableTokenExchange(provider, { ...issuing, find: (token) => jwtAccessTokens.find(provider, token) });
  enableJwtBearer(provider, { ...needs, ...issuing, issuer: config.issuer, fetch: needs.clientFetch });
  const forPeople = [
    boundRequest(provider.pathFor('authorization', { mountPath: '' })),
    ...(config.oauth.request_uri ? [fetchRequestObjects(provider, needs)] : []),
    signOut.showReceipt,
    skipEmptySignOut,
    noteFinished(needs.restarts),
    ...(config.device_flow.enabled ? [fillInCode(provider)] : []),
  ];
  const around = [
    nameAliases(config.issuer, needs.mutualTls),
    except(
      provider,
      ['jwks', 'discovery'],
      answerForJwts(provider, jwtAccessTokens, (client, account) =>
        needs.onToken(revoked(client, account, 'access_token')),
      ),
    ),
    only(
      provider,
      'revocation',
      noteRevocations((event) => needs.onToken(event)),
    ),
    exceptPrograms(provider, compose(forPeople as never[])),
    only(provider, 'jwks', cacheKeySet(needs)),
    nameDetailTypes(needs.directory.detailTypes),
    ...(config.ciba.enabled ? [correctCibaMetadata] : []),
    ...(config.oauth.request_uri ? [nameRequestUris] : []),
  ];
  // The busiest two, with which none of these has business, pass all of them in one step.
  provider.use(except(provider, ['token', 'userinfo'], compose(around as never[])));
  return provider;
}

/** @param verify tells a JWT that we signed from any other. */
export function createLasting(needs: ProviderNeeds, verify: VerifyJwt): Lasting {
  const { config, records, accounts, vault } = needs;
  const subjectOf = createSubjects(vault);
  return {
    ...needs,
    tokenClaims: createTokenClaims({ book: needs.book, subjectOf }),
    refreshTokens: createRefreshTokens({
      vault,
      records,
      grace: config.lifetimes.refresh_token_grace,
      reuse: createReuse({ records, tell: needs.onReuse }),
    }),
    jwtAccessTokens: createJwtAccessTokens({
      vault,
      records,
      accounts,
      verify,
      subjectOf,
    }),
    sealedAccessTokens: createSealedAccessTokens({ vault, records }),
    signOut: createSignOut({ ...needs.logOuts, issuer: config.issuer }),
  };
}

/** A ready provider. It follows the signing keys: an instance with other keys takes the place of the one before. */
export function createProvider(needs: ProviderNeeds): ProviderSwitch {
  const { config, liveKeys } = needs;
  let verifying = verificationKeys(liveKeys.keys());
  // Those of now, also for a request that began before: nothing that a removed key signed is accepted.
  const lasting = createLasting(
    needs,
    verifyJwt(config.issuer, (header, token) => verifying(header, token)),
  );
  const { replace, ...provider } = createProviderSwitch({
    first: createInstance(lasting, liveKeys.keys()),
    base: issuerPath(config.issuer),
    ready: liveKeys,
  });
  accessTokens.set(provider.provider, lasting.jwtAccessTokens);
  liveKeys.onChange((keys) => {
    replace(createInstance(lasting, keys));
    verifying = verificationKeys(keys);
  });
  return provider;
}
