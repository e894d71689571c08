/** What every connector offers, and how it says that something did not work. */
import type * as openid from 'openid-client';

/** Loaded when somebody first signs in with an upstream: most processes start without it. */
export type OpenidClient = typeof openid;

/** The part of `fetch` that connectors use: with limits of time and size. */
export type UpstreamFetch = (url: string, init: openid.CustomFetchOptions) => Promise<Response>;

/** What a sign-in there should be like. */
export interface Ask {
  redirect_uri: string;
  /** The app's `login_hint`, passed on. */
  login_hint?: string | undefined;
  /** The person must prove anew who they are (`prompt=login`). */
  fresh: boolean;
  /** Seconds since they last did, at most (`max_age`). */
  max_age?: number | undefined;
  /** The person wants to choose who they are (`prompt=select_account`). */
  select_account: boolean;
}

/** What must be remembered until the person comes back; never shown to anybody. */
export interface Checks {
  state: string;
  code_verifier: string;
  nonce: string;
  /** Epoch seconds. */
  begun_at: number;
  fresh: boolean;
  max_age?: number | undefined;
}

/** What an upstream said, read by its connector; not yet believed. */
export interface Assertion {
  issuer: string;
  subject: unknown;
  email: unknown;
  email_verified: boolean;
  name: unknown;
  picture: unknown;
  amr?: unknown;
  acr?: unknown;
  auth_time?: unknown;
}

/** What an upstream says of itself when it is asked. */
export interface Reached {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
}

export interface Connector {
  /** The answer comes as a form that the upstream's page sends. */
  form_post: boolean;
  /** @throws UpstreamError. */
  begin(ask: Ask): Promise<{ url: string; checks: Checks }>;
  /** @param callback our address with what the upstream sent there. @throws UpstreamError. */
  finish(callback: URL, checks: Checks): Promise<Assertion>;
  /** Whether it answers as one of its kind, asked now. @throws UpstreamError. */
  reach(): Promise<Reached>;
}

/**
 * cancelled: the person changed their mind there. unavailable: it did not answer in time. refused: its answer is not to be
 * accepted. wrong_account: not one of those that may sign in. stale: it did not ask the person again, though we wanted it to.
 */
export type UpstreamProblem = 'cancelled' | 'unavailable' | 'refused' | 'wrong_account' | 'stale';

export class UpstreamError extends Error {
  readonly problem: UpstreamProblem;
  /** For the log: an error code of OAuth or of the client library. Holds nothing that came in a request. */
  readonly detail: string | undefined;
  constructor(problem: UpstreamProblem, detail?: string, cause?: unknown) {
    super(`the upstream sign-in failed: ${problem}${detail === undefined ? '' : ` (${detail})`}`, { cause });
    this.name = 'UpstreamError';
    this.problem = problem;
    this.detail = detail;
  }
}
