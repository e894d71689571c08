/**
 * A sign-in as an app, run by an admin for themselves: the whole of it by the protocol alone, as `openid-client` does it for any app. What
 * comes of it is taken apart and handed back at once; no token leaves here.
 */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { ClientAuth, Configuration } from 'openid-client';
import { authMethod, grantTypes, isBuiltIn } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { hasSecret } from '../clients/protocol.ts';
import { inProcessFetch } from '../http/in-process.ts';
import type { InProcessFetch, InProcessHandler } from '../http/in-process.ts';
import { TRIAL_PARAMETER } from '../oidc/trials.ts';
import type { Trials } from '../oidc/trials.ts';

/** A sign-in that was begun. */
export interface TryRun {
  client_id: string;
  account_id: string;
  state: string;
  nonce: string;
  code_verifier: string;
  scope: string;
}

interface Part {
  header: string;
  payload: string;
}

export interface TryResult {
  failure: { error: string; description: string } | null;
  scope: string;
  expires_in: number | null;
  refresh_token: boolean;
  id_token: Part | null;
  /** Null where there is none, or it is opaque. */
  access_token: Part | null;
  opaque: boolean;
  userinfo: string | null;
}

/** What no sign-in of ours could bring along, for only the app has it. */
export function whyNot(client: Client): 'built_in' | 'no_sign_in' | 'own_key' | undefined {
  const { protocol = {} } = client;
  if (isBuiltIn(client.id)) return 'built_in';
  if (!grantTypes(client).includes('authorization_code')) return 'no_sign_in';
  const method = authMethod(client);
  const bound =
    protocol.dpop_bound_access_tokens ||
    protocol.tls_client_certificate_bound_access_tokens ||
    protocol.require_signed_request_object ||
    protocol.fapi_profile !== undefined ||
    Object.keys(protocol).some((name) => name.endsWith('_encrypted_response_alg')) ||
    protocol.userinfo_signed_response_alg !== undefined;
  return bound || !(hasSecret(method) || method === 'none') ? 'own_key' : undefined;
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
const partsOf = (jwt: string): Part => ({
  header: pretty(decodeProtectedHeader(jwt)),
  payload: pretty(decodeJwt(jwt)),
});
const isJwt = (token: string) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

const NOTHING: TryResult = {
  failure: null,
  scope: '',
  expires_in: null,
  refresh_token: false,
  id_token: null,
  access_token: null,
  opaque: false,
  userinfo: null,
};

interface Needs {
  issuer: string;
  trials: Trials;
  handle: () => InProcessHandler;
}

/** Seconds that the admin has to sign in. */
const LIFE = 600;

export function createTryIt({ issuer, trials, handle }: Needs) {
  const { callback } = trials;
  const inProcess = inProcessFetch({ issuer, handle });

  /** @param headers what tells requests of the run. */
  async function configured(client: Client, secret: string, headers: Record<string, string>): Promise<Configuration> {
    const fetch: InProcessFetch = (url, init) =>
      inProcess(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...headers } });
    const oidc = await import('openid-client');
    const ways: Record<string, () => ClientAuth> = {
      none: () => oidc.None(),
      client_secret_basic: () => oidc.ClientSecretBasic(secret),
      client_secret_post: () => oidc.ClientSecretPost(secret),
      client_secret_jwt: () => oidc.ClientSecretJwt(secret),
    };
    return oidc.discovery(
      new URL(issuer),
      client.id,
      { id_token_signed_response_alg: client.id_token_signed_response_alg },
      ways[authMethod(client)]!(),
      { [oidc.customFetch]: fetch, execute: issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [] },
    );
  }

  async function requestOf(client: Client, run: TryRun, resource: string | undefined): Promise<URL> {
    const oidc = await import('openid-client');
    const parameters = {
      redirect_uri: callback,
      scope: run.scope,
      state: run.state,
      nonce: run.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(run.code_verifier),
      code_challenge_method: 'S256',
      ...(resource === undefined ? {} : { resource }),
    };
    return trials.acting(client, async (secret, headers) => {
      const config = await configured(client, secret, headers);
      const pushed = client.protocol?.require_pushed_authorization_requests === true;
      return pushed
        ? oidc.buildAuthorizationUrlWithPAR(config, parameters)
        : oidc.buildAuthorizationUrl(config, parameters);
    });
  }

  async function redeem(config: Configuration, run: TryRun, query: URLSearchParams): Promise<TryResult> {
    const oidc = await import('openid-client');
    const failed = (error: unknown): TryResult => {
      if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError)
        return { ...NOTHING, failure: { error: error.error, description: error.error_description ?? '' } };
      if (error instanceof oidc.ClientError)
        return { ...NOTHING, failure: { error: error.code ?? 'error', description: error.message } };
      throw error;
    };
    let tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;
    try {
      tokens = await oidc.authorizationCodeGrant(config, new URL(`${callback}?${query.toString()}`), {
        pkceCodeVerifier: run.code_verifier,
        expectedState: run.state,
        expectedNonce: run.nonce,
      });
    } catch (error) {
      return failed(error);
    }
    const { access_token, id_token, refresh_token } = tokens;
    try {
      const sub = tokens.claims()?.sub;
      const told = sub === undefined ? null : await oidc.fetchUserInfo(config, access_token, sub);
      return {
        ...NOTHING,
        scope: tokens.scope ?? run.scope,
        expires_in: tokens.expires_in ?? null,
        refresh_token: refresh_token !== undefined,
        id_token: id_token === undefined ? null : partsOf(id_token),
        access_token: isJwt(access_token) ? partsOf(access_token) : null,
        opaque: !isJwt(access_token),
        userinfo: told === null ? null : pretty(told),
      };
    } catch (error) {
      return failed(error);
    } finally {
      // What it was good for is on the page; nobody needs it any more.
      await oidc.tokenRevocation(config, refresh_token ?? access_token);
    }
  }

  return {
    /** @returns where the browser goes, and what its answer is checked against; or why the request was not taken beforehand. */
    async begin(
      client: Client,
      wanted: Pick<TryRun, 'account_id' | 'scope'> & { resource: string | undefined },
    ): Promise<{ url: string; run: TryRun } | { refused: string }> {
      const oidc = await import('openid-client');
      const { resource, ...rest } = wanted;
      const run: TryRun = {
        ...rest,
        client_id: client.id,
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        code_verifier: oidc.randomPKCECodeVerifier(),
      };
      try {
        const url = await requestOf(client, run, resource);
        url.searchParams.set(TRIAL_PARAMETER, run.state);
        await trials.open(run.state, client.id, LIFE);
        return { url: url.href, run };
      } catch (error) {
        if (!(error instanceof oidc.ResponseBodyError)) throw error;
        return { refused: error.error_description ?? error.error };
      }
    },

    async finish(client: Client, run: TryRun, query: URLSearchParams): Promise<TryResult> {
      return trials.acting(client, async (secret, headers) =>
        redeem(await configured(client, secret, headers), run, query),
      );
    },
    life: LIFE,
    close: ({ state }: TryRun) => trials.close(state),
  };
}
