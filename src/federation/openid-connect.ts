/**
 * The OpenID Connect code flow with PKCE, state and nonce, which most connectors share; what is particular to one is in its
 * `Dialect`. The client library checks `state`, `iss` (RFC 9207), the ID token's signature, `iss`, `aud`, `exp` and `nonce`.
 */
import type { ClientAuth, Configuration, IDToken } from 'openid-client';
import { epochSeconds } from '../kernel/clock.ts';
import { UpstreamError } from './connector.ts';
import type { Ask, Assertion, Checks, Connector, OpenidClient, Reached, UpstreamFetch } from './connector.ts';
import { toUpstreamError, withDeadline } from './failures.ts';

export interface Limits {
  /** Milliseconds for all that one step asks of an upstream. */
  deadlineMs: number;
  /** Seconds that a discovery document is believed. */
  discoveryLife: number;
}

export interface Dialect {
  issuer: string;
  client_id: string;
  scopes: string[];
  /** How this client proves who it is. */
  authenticate(client: OpenidClient): ClientAuth;
  /** Parameters of the authorization request beyond the usual. */
  parameters(ask: Ask): Record<string, string>;
  /** Refuses who may not sign in, and reads the rest. @param form what came beside the code. @throws UpstreamError. */
  read(claims: Record<string, unknown>, form: URLSearchParams): Omit<Assertion, 'issuer' | 'subject'>;
  form_post?: boolean;
  /** It must tell when the person proved who they are, where that was asked for (OpenID Connect Core, section 2). */
  tells_auth_time?: boolean;
  /** The address that the client library knows it by, where a template stands for the issuer. */
  known_as?: string;
  /** Whether the metadata is the expected issuer's, where the client library cannot tell. */
  isIssuer?(discovered: string): boolean;
}

export interface OpenidNeeds {
  load(): Promise<OpenidClient>;
  fetch: UpstreamFetch;
  limits: Limits;
}

/** Clocks differ by so many seconds. */
const TOLERANCE = 30;
const MS = 1000;

/** By the first method that both sides know; RFC 8414 says what an upstream that is silent means. */
export const withSecret =
  (secret: string | undefined) =>
  (client: OpenidClient): ClientAuth => {
    if (secret === undefined) return client.None();
    const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
    return (server, ...rest) =>
      (server.token_endpoint_auth_methods_supported?.includes('client_secret_post') ? post : basic)(server, ...rest);
  };

/** Discovery, believed for a while; one that failed, or led to a failure, is made again. */
function createDiscovery(dialect: Dialect, { load, fetch, limits }: OpenidNeeds) {
  const { issuer, known_as = issuer, isIssuer } = dialect;
  let held: { until: number; configuration: Promise<Configuration> } | undefined;

  async function discover(): Promise<Configuration> {
    const client = await load();
    const document = (base: string) => `${base}/.well-known/openid-configuration`;
    const configuration = await client.discovery(
      new URL(known_as),
      dialect.client_id,
      undefined,
      dialect.authenticate(client),
      {
        [client.customFetch]: (url, init) =>
          fetch(url === document(known_as) ? document(issuer.replace(/\/$/, '')) : url, init),
        timeout: limits.deadlineMs / MS,
        execute: [
          client.enableNonRepudiationChecks,
          ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
        ],
      },
    );
    if (isIssuer?.(configuration.serverMetadata().issuer) === false) throw new UpstreamError('refused', 'issuer');
    return configuration;
  }

  return {
    get(): Promise<Configuration> {
      if (held && held.until > epochSeconds()) return held.configuration;
      const configuration = discover();
      const mine = { until: epochSeconds() + limits.discoveryLife, configuration };
      held = mine;
      configuration.catch(() => {
        if (held === mine) held = undefined;
      });
      return configuration;
    },
    forget(): void {
      held = undefined;
    },
  };
}

/** @throws UpstreamError where the person was to prove anew who they are, and did not. */
export function checkFreshness(auth_time: unknown, { fresh, max_age, begun_at }: Checks, mustTell: boolean): void {
  if (!fresh && max_age === undefined) return;
  if (typeof auth_time !== 'number') {
    if (mustTell) throw new UpstreamError('stale', 'no auth_time');
    return;
  }
  // Whoever proved it during this journey did it late enough, however long the way back took.
  const since = fresh ? begun_at : Math.min(begun_at, epochSeconds() - (max_age ?? 0));
  if (auth_time < since - TOLERANCE) throw new UpstreamError('stale');
}

export function createOpenidConnector(dialect: Dialect, needs: OpenidNeeds): Connector {
  const { load, limits } = needs;
  const discovery = createDiscovery(dialect, needs);

  async function authorize(ask: Ask): Promise<{ url: string; checks: Checks }> {
    const [client, configuration] = await Promise.all([load(), discovery.get()]);
    const { fresh, max_age } = ask;
    const checks: Checks = {
      state: client.randomState(),
      code_verifier: client.randomPKCECodeVerifier(),
      nonce: client.randomNonce(),
      begun_at: epochSeconds(),
      fresh,
      max_age,
    };
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: ask.redirect_uri,
      scope: dialect.scopes.join(' '),
      code_challenge: await client.calculatePKCECodeChallenge(checks.code_verifier),
      code_challenge_method: 'S256',
      state: checks.state,
      nonce: checks.nonce,
      ...dialect.parameters(ask),
    });
    if (url.protocol !== 'https:' && url.protocol !== new URL(dialect.issuer).protocol)
      throw new UpstreamError('refused', 'authorization_endpoint');
    return { url: url.href, checks };
  }

  /** Some put nothing but the subject in the ID token. */
  async function completed(configuration: Configuration, token: string, claims: IDToken) {
    if (claims['email'] !== undefined || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    return { ...(await (await load()).fetchUserInfo(configuration, token, claims.sub)), ...claims };
  }

  async function redeem(callback: URL, checks: Checks): Promise<Assertion> {
    const [client, configuration] = await Promise.all([load(), discovery.get()]);
    const tokens = await client.authorizationCodeGrant(configuration, callback, {
      pkceCodeVerifier: checks.code_verifier,
      expectedState: checks.state,
      expectedNonce: checks.nonce,
      idTokenExpected: true,
    });
    const claims = await completed(configuration, tokens.access_token, tokens.claims()!);
    checkFreshness(claims.auth_time, checks, dialect.tells_auth_time === true);
    const { iss: issuer, sub: subject, amr, acr, auth_time } = claims;
    return { issuer, subject, amr, acr, auth_time, ...dialect.read(claims, callback.searchParams) };
  }

  async function reach(): Promise<Reached> {
    discovery.forget();
    const metadata = (await discovery.get()).serverMetadata();
    const { issuer, authorization_endpoint, token_endpoint, jwks_uri } = metadata;
    if (!authorization_endpoint || !token_endpoint || !jwks_uri) throw new UpstreamError('refused', 'metadata');
    const headers = { accept: 'application/json' };
    const answer = await needs.fetch(jwks_uri, { method: 'GET', headers, body: undefined, redirect: 'manual' });
    const keys: unknown = answer.ok ? await answer.json().catch(() => undefined) : undefined;
    if (!Array.isArray((keys as { keys?: unknown } | undefined)?.keys)) throw new UpstreamError('refused', 'jwks_uri');
    return { issuer, authorization_endpoint, token_endpoint };
  }

  /** A failure may come of metadata or keys that are no longer true. */
  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await withDeadline(limits.deadlineMs, work());
    } catch (error) {
      const failure = toUpstreamError(await load(), error);
      if (failure.problem !== 'cancelled') discovery.forget();
      throw failure;
    }
  }

  return {
    form_post: dialect.form_post ?? false,
    begin: (ask) => attempt(() => authorize(ask)),
    finish: (callback, checks) => attempt(() => redeem(callback, checks)),
    reach: () => attempt(reach),
  };
}
