/** A place as the relying party that it is: it signs people in by code and PKCE like any app, and learns no more than who they are. */
import type { Configuration } from 'openid-client';
import type { InProcessFetch } from '../http/in-process.ts';
import { ACR } from '../factors/levels.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Pending } from './pending.ts';

export interface Asked {
  /** The path to go on to, of ours. */
  return_to: string;
  /** Seconds: nobody who proved who they are longer ago gets in without proving it again. */
  max_age?: number | undefined;
  /** Nobody gets in without having proved a second factor. */
  second_factor?: boolean | undefined;
  /** Nobody gets in whose sign-in does not reach this. */
  acr?: string | undefined;
  /** Sends the person on to this upstream provider. */
  idp_hint?: string | undefined;
}

/** Who came back, and when they proved it (epoch seconds). */
export interface Arrived {
  account_id: string;
  auth_time: number;
}

interface Needs {
  issuer: string;
  clientId: string;
  /** Its redirect URI. */
  callback: string;
  fetch: InProcessFetch;
}

/** OpenID Connect Core, section 5.5.1.1. */
const insistingOn = (acr: string) => JSON.stringify({ id_token: { acr: { essential: true, values: [acr] } } });

export function createRelyingParty({ issuer, clientId, callback, fetch }: Needs) {
  let discovered: Promise<Configuration> | undefined;

  /** Loaded when somebody first comes: the start of the program does not wait for it. */
  async function discover(): Promise<Configuration> {
    const client = await import('openid-client');
    const config = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
      [client.customFetch]: fetch,
      execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
    });
    return config;
  }

  function configuration(): Promise<Configuration> {
    discovered ??= discover().catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  }

  /** @returns the authorization request, and what its answer is checked against. */
  async function begin({
    return_to,
    max_age,
    second_factor,
    acr = second_factor ? ACR[2] : undefined,
    idp_hint,
  }: Asked): Promise<{ url: string; pending: Pending }> {
    const [client, config] = await Promise.all([import('openid-client'), configuration()]);
    const pending: Pending = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      code_verifier: client.randomPKCECodeVerifier(),
      return_to,
      max_age,
      begun_at: epochSeconds(),
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(pending.code_verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
      ...(max_age === undefined ? {} : { max_age: String(max_age) }),
      ...(acr === undefined ? {} : { claims: insistingOn(acr) }),
      ...(idp_hint === undefined ? {} : { idp_hint }),
    });
    return { url: url.href, pending };
  }

  /** @returns undefined where the answer says no, or is not what was asked for. @throws what is no answer at all. */
  async function redeem(pending: Pending, query: URLSearchParams): Promise<Arrived | undefined> {
    const [client, config] = await Promise.all([import('openid-client'), configuration()]);
    const answer = new URL(`${callback}?${query.toString()}`);
    try {
      const tokens = await client.authorizationCodeGrant(config, answer, {
        pkceCodeVerifier: pending.code_verifier,
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
        // Counted from when the person set out: however long the way back took, they proved it recently then.
        ...(pending.max_age === undefined ? {} : { maxAge: pending.max_age + epochSeconds() - pending.begun_at }),
      });
      const { sub, auth_time } = tokens.claims()!;
      return { account_id: sub, auth_time: Number(auth_time ?? 0) };
    } catch (error) {
      const known = [client.AuthorizationResponseError, client.ResponseBodyError, client.ClientError];
      if (known.some((kind) => error instanceof kind)) return undefined;
      throw error;
    }
  }

  return { begin, redeem };
}

export type RelyingParty = ReturnType<typeof createRelyingParty>;
