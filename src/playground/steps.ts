/** What the playground does at each step, as any app would with `openid-client`; what it learns goes into the run. */
import * as oidc from 'openid-client';
import { addresses } from './client.ts';
import { inspect, looksLikeJwt } from './inspect.ts';
import { attempt } from './relying-party.ts';
import type { Party } from './relying-party.ts';
import type { Choices, Pending, Refreshed, Revoked, Run, Tokens } from './session.ts';

interface Needs {
  issuer: string;
  clientId: string;
  party(): Promise<Party>;
}

type TokenResponse = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;

/** What a token that is no good is refused with (RFC 6750, section 3.1; RFC 6749, section 5.2). */
const REFUSALS = new Set(['invalid_token', 'invalid_grant']);

const words = (text: string) => text.split(/\s+/).filter(Boolean);

/** Tokens after an answer of the token endpoint: what it leaves out stays as it was (RFC 6749, sections 5.1 and 6). */
const merge = (answer: TokenResponse, before: Partial<Tokens> & { scope: string }): Tokens => ({
  access_token: answer.access_token,
  id_token: answer.id_token ?? before.id_token,
  refresh_token: answer.refresh_token ?? before.refresh_token,
  scope: answer.scope ?? before.scope,
  sub: answer.claims()?.sub ?? before.sub,
});

export function createSteps({ issuer, clientId, party }: Needs) {
  const { home, callback, api } = addresses(issuer);

  /** The identifier of the API that a token is asked for. */
  function resourceOf(choices: Choices): string | undefined {
    if (choices.api === 'playground') return api;
    return choices.api === 'other' && choices.resource !== '' ? choices.resource : undefined;
  }

  async function begin(choices: Choices): Promise<Pending> {
    const { config } = await party();
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = choices.scopes.includes('openid') ? oidc.randomNonce() : undefined;
    const resource = resourceOf(choices);
    const scope = [...choices.scopes, ...words(choices.more_scopes)].join(' ');
    const url = oidc.buildAuthorizationUrl(config, {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: callback,
      ...(scope === '' ? {} : { scope }),
      state,
      ...(nonce === undefined ? {} : { nonce }),
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...(choices.prompt === '' ? {} : { prompt: choices.prompt }),
      ...(resource === undefined ? {} : { resource }),
    });
    return { url: url.href, state, pkceCodeVerifier, ...(nonce === undefined ? {} : { nonce }) };
  }

  /** Takes the tokens apart and checks them, with the key set fetched as any app would. */
  async function inspectAll(
    { url, nonce }: Pick<Pending, 'url' | 'nonce'>,
    { id_token, access_token }: Tokens,
    { keys }: Party,
  ): Promise<Pick<Run, 'id_token' | 'access_token'>> {
    const audience = new URL(url).searchParams.get('resource') ?? clientId;
    const common = { keys, issuer };
    return {
      ...(id_token === undefined
        ? {}
        : { id_token: await inspect(id_token, { ...common, audience: clientId, nonce }) }),
      ...(looksLikeJwt(access_token)
        ? { access_token: await inspect(access_token, { ...common, audience, typ: 'at+jwt' }) }
        : {}),
    };
  }

  /** Redeems the code of an answer, or notes the error it carries. The caller has found the request by its `state`. */
  async function redeem(request: Pending, query: URLSearchParams): Promise<Run> {
    const visit = await party();
    const run: Run = { request, answer: [...query], exchanges: visit.exchanges, logout_state: oidc.randomState() };
    const outcome = await attempt(() =>
      oidc.authorizationCodeGrant(visit.config, new URL(`${callback}?${query.toString()}`), {
        pkceCodeVerifier: request.pkceCodeVerifier,
        expectedState: request.state,
        ...(request.nonce === undefined ? {} : { expectedNonce: request.nonce }),
      }),
    );
    if ('failure' in outcome) return { ...run, failure: outcome.failure };
    const tokens = merge(outcome.value, { scope: new URL(request.url).searchParams.get('scope') ?? '' });
    return { ...run, tokens, ...(await inspectAll(request, tokens, visit)) };
  }

  async function userinfo(run: Run, tokens: Tokens): Promise<void> {
    const { config, exchanges } = await party();
    const outcome = await attempt(() =>
      oidc.fetchUserInfo(config, tokens.access_token, tokens.sub ?? oidc.skipSubjectCheck),
    );
    run.userinfo = { exchanges, ...('failure' in outcome ? outcome : {}) };
  }

  /** @param scopes fewer scopes than were granted, or none to keep them all. */
  async function refresh(run: Run, tokens: Tokens, scopes: string[]): Promise<void> {
    if (tokens.refresh_token === undefined) return;
    const visit = await party();
    const scope = scopes.join(' ');
    const outcome = await attempt(() =>
      oidc.refreshTokenGrant(visit.config, tokens.refresh_token!, scope === '' ? {} : { scope }),
    );
    const refreshed: Refreshed = { exchanges: visit.exchanges, before: tokens };
    if ('failure' in outcome) refreshed.failure = outcome.failure;
    else {
      refreshed.after = merge(outcome.value, tokens);
      run.tokens = refreshed.after;
      // The `nonce` belongs to the sign-in: the ID token of a refresh need not carry it (OpenID Connect Core, section 12.2).
      Object.assign(run, await inspectAll({ url: run.request.url }, refreshed.after, visit));
    }
    run.refreshed = refreshed;
  }

  /** Hands a token back and proves that it stopped working by trying to use it. */
  async function revoke(run: Run, tokens: Tokens, token: Revoked['token']): Promise<void> {
    const value = tokens[token];
    if (value === undefined) return;
    const { config, exchanges } = await party();
    const handedBack = await attempt(() => oidc.tokenRevocation(config, value, { token_type_hint: token }));
    if ('failure' in handedBack) {
      run.revoked = { exchanges, token, refused: false, failure: handedBack.failure };
      return;
    }
    const used = await attempt(async () => {
      if (token === 'refresh_token') await oidc.refreshTokenGrant(config, value);
      else await oidc.fetchUserInfo(config, value, tokens.sub ?? oidc.skipSubjectCheck);
    });
    run.revoked = { exchanges, token, refused: 'failure' in used && REFUSALS.has(used.failure.error) };
  }

  /** Hands the refresh token back when the person leaves, and with it all that came from it. Failing changes nothing. */
  async function forget({ tokens }: Run): Promise<void> {
    const token = tokens?.refresh_token ?? tokens?.access_token;
    if (token === undefined) return;
    const { config } = await party();
    await attempt(() => oidc.tokenRevocation(config, token));
  }

  /** The log-out request (OpenID Connect RP-Initiated Logout 1.0), whose hint is the one token that goes into an address. */
  async function logOutUrl({ tokens, logout_state }: Run): Promise<string> {
    const { config } = await party();
    const url = oidc.buildEndSessionUrl(config, {
      post_logout_redirect_uri: home,
      ...(logout_state === undefined ? {} : { state: logout_state }),
      ...(tokens?.id_token === undefined ? {} : { id_token_hint: tokens.id_token }),
    });
    return url.href;
  }

  return { begin, redeem, userinfo, refresh, revoke, forget, logOutUrl };
}

export type Steps = ReturnType<typeof createSteps>;
