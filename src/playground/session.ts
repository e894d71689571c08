/**
 * The playground: an app like any other, served beside the provider, that signs people in with `openid-client` and shows
 * every message as it happened. It owns its client, its session and its pages; of the provider it knows what any app knows,
 * and reaches it through the protocol alone. Tokens are shown here on purpose: they stand in the session (encrypted, on the
 * server) and on the page, never in a URL or a log line.
 */
import type { Context } from 'koa';
import type { Exchange, Failure } from './relying-party.ts';
import type { Inspected } from './inspect.ts';

/** What a person chose to ask for, kept so that starting over need not ask again. */
export interface Choices {
  scopes: string[];
  more_scopes: string;
  prompt: string;
  /** `none`, `playground` or `other`. */
  api: string;
  resource: string;
}

/** An authorization request that was made and not answered yet. */
export interface Pending {
  url: string;
  state: string;
  pkceCodeVerifier: string;
  /** Absent without `openid`: no ID token would carry it back. */
  nonce?: string;
}

export interface Tokens {
  access_token: string;
  id_token?: string | undefined;
  refresh_token?: string | undefined;
  /** The scopes that were granted. */
  scope: string;
  /** The subject, where an ID token named it. */
  sub?: string | undefined;
}

/** One thing done with the tokens, and how it went. */
export interface Done {
  exchanges: Exchange[];
  failure?: Failure | undefined;
}

export interface Refreshed extends Done {
  before: Tokens;
  after?: Tokens;
}

export interface Revoked extends Done {
  token: 'access_token' | 'refresh_token';
  /** The token was tried afterwards and refused. */
  refused: boolean;
}

/** One sign-in from the answer on. */
export interface Run {
  request: Pending;
  /** Parameters of the answer, as they came. */
  answer: [name: string, value: string][];
  failure?: Failure;
  exchanges: Exchange[];
  tokens?: Tokens;
  id_token?: Inspected;
  access_token?: Inspected;
  userinfo?: Done;
  refreshed?: Refreshed;
  revoked?: Revoked;
  /** State of the log-out request that the page offers. */
  logout_state?: string;
}

export interface PlaygroundSession {
  choices?: Choices;
  /** By state, so that two tabs do not disturb each other. */
  pending?: Record<string, Pending>;
  /** State of the request on show. */
  current?: string;
  run?: Run;
  /** Told once, on the next page. */
  notice?: 'signed_out' | 'lost';
}

const MOST_PENDING = 5;

export const sessionOf = (ctx: Context): PlaygroundSession =>
  (ctx as unknown as { session: PlaygroundSession }).session;

/** A new session id with nothing in it but `content`; a session id from before a sign-in is not good after it. */
export async function renewSession(ctx: Context, content: PlaygroundSession): Promise<void> {
  const holder = ctx as unknown as { session: PlaygroundSession & { regenerate(): Promise<void> } };
  holder.session = content as never;
  await holder.session.regenerate();
}

export function addPending(session: PlaygroundSession, request: Pending): void {
  const recent = Object.entries(session.pending ?? {}).slice(1 - MOST_PENDING);
  session.pending = { ...Object.fromEntries(recent), [request.state]: request };
  session.current = request.state;
}
