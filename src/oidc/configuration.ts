/** What the protocol engine is configured with, by its documented options. */
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/schema.ts';
import { ACR_VALUES } from '../factors/levels.ts';
import { activeKey } from '../keys/signing-key.ts';
import type { SigningKey } from '../keys/signing-key.ts';
import { createCookieSignatures } from '../kernel/cookie-signatures.ts';
import { issuerPath } from '../kernel/urls.ts';
import { extraTokenClaims, findAccount } from './account.ts';
import { createAdapterFactory } from './adapter.ts';
import { keepKnownClaims } from './asked-claims.ts';
import { CLAIMS_BY_SCOPE, STANDARD_SCOPES } from './claims.ts';
import { CLIENT_PROPERTIES } from './client-directory.ts';
import { authorizationDetailsFeatures } from './features/authorization-details.ts';
import { protocolConfiguration, protocolFeatures } from './features/features.ts';
import { loadGrant } from './grants.ts';
import { concerns } from './jwt-access-tokens.ts';
import { lifetimes } from './lifetimes.ts';
import { restoreOfflineAccess } from './offline-access.ts';
import { createPolicy } from './policy.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import { resourceIndicators } from './resources.ts';
import { keySet } from './signing-keys.ts';
import type { TokenClaims } from './token-claims.ts';
import type { ProviderNeeds } from './provider-needs.ts';

/** On https every cookie is `Secure`; the library scopes two of them to a path, where browsers refuse `__Host-`. */
function cookies({ issuer, secrets }: ProviderNeeds['config']): NonNullable<Configuration['cookies']> {
  const https = issuer.startsWith('https:');
  const options = { signed: true, httpOnly: true, sameSite: 'lax', secure: https, overwrite: true } as const;
  const prefix = https ? '__Secure-' : '';
  return {
    keys: createCookieSignatures(secrets.cookie_keys),
    names: {
      session: `${https ? '__Host-' : ''}gatehouse_session`,
      interaction: `${prefix}gatehouse_interaction`,
      resume: `${prefix}gatehouse_resume`,
    },
    long: options,
    short: options,
  };
}

export function configuration({
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
    adapter: createAdapterFactory({ records, directory, refreshTokens, restarts }),
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
    rotateRefreshToken,
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
      url: (_ctx, { uid }) => `${issuerPath(config.issuer)}/interaction/${uid}`,
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

/** FAPI 2.0 Security Profile, section 5.3.2.1: such tokens are bound to a key, and are replaced only lest they expire in use. */
const REPLACED_AT_PERCENT = 70;
const rotateRefreshToken = ({ oidc: { entities, client } }: KoaContextWithOIDC): boolean =>
  client!['fapi_profile'] === undefined || entities.RefreshToken!.ttlPercentagePassed() >= REPLACED_AT_PERCENT;

/** What was asked for may have been left out by the person: a backchannel request is not narrowed to what they allowed. */
const mayStay = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.entities.Grant?.getOIDCScopeFiltered(new Set(['offline_access'])) !== '';
