/**
 * The protocol engine: the only `new Provider` of the program, configured from our rooms. Everything here is built around
 * the library's documented options; `library.ts` holds the few exceptions.
 */
import compose from 'koa-compose';
import { Provider } from 'oidc-provider';
import { activeKey } from '../keys/signing-key.ts';
import type { SigningKey } from '../keys/signing-key.ts';
import { issuerPath } from '../kernel/urls.ts';
import { findAccount } from './account.ts';
import { boundRequest } from './bounds.ts';
import { nameDetailTypes } from './features/authorization-details.ts';
import { correctCibaMetadata, queuePings } from './features/ciba.ts';
import { fillInCode, guardUserCodes } from './features/device.ts';
import { nameAliases } from './features/mutual-tls.ts';
import { enableJwtBearer } from './features/jwt-bearer.ts';
import { fetchRequestObjects, nameRequestUris } from './features/request-uri.ts';
import { enableTokenExchange } from './features/token-exchange.ts';
import { slowDownPolling } from './features/polling.ts';
import { createSubjects } from './features/subjects.ts';
import { answerForJwts, createJwtAccessTokens, verifyJwt } from './jwt-access-tokens.ts';
import type { JwtAccessTokens, LiveToken, VerifyJwt } from './jwt-access-tokens.ts';
import { cacheKeySet } from './key-set.ts';
import { adaptLibrary } from './library.ts';
import { plainContexts } from './library-contexts.ts';
import { createPlainEndpoint } from './plain/endpoint.ts';
import type { AnswerPlainly } from './plain/endpoint.ts';
import { createProviderSwitch } from './provider-switch.ts';
import type { ProviderSwitch } from './provider-switch.ts';
import { awaitLateWrites } from './late-writes.ts';
import { except, exceptPrograms, only } from './program-endpoints.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import { createReuse } from './reuse.ts';
import { configuration } from './configuration.ts';
import type { ProviderNeeds } from './provider-needs.ts';
import { createSealedAccessTokens } from './sealed-access-tokens.ts';
import type { SealedAccessTokens } from './sealed-access-tokens.ts';
import { createSignOut, skipEmptySignOut } from './sign-out.ts';
import { verificationKeys } from './signing-keys.ts';
import { noteRevocations, revoked } from './token-events.ts';
import { createTokenClaims } from './token-claims.ts';
import type { TokenClaims } from './token-claims.ts';

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
  plainContexts(provider);
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
    awaitLateWrites,
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

export interface Engine extends ProviderSwitch {
  /** @param headers those of every answer. */
  answerPlainly(headers: [name: string, value: string][]): AnswerPlainly;
}

/** A ready provider. It follows the signing keys: an instance with other keys takes the place of the one before. */
export function createProvider(needs: ProviderNeeds): Engine {
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
  return {
    ...provider,
    answerPlainly: (headers) => createPlainEndpoint({ ...lasting, provider: provider.provider }, headers),
  };
}
