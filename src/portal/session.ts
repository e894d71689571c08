/** What the page remembers of one browser: on the server, sealed, and of use only as long as the provider's own session goes on. */
import type { Context } from 'koa';

/** An authorization request that was made and not answered yet. */
export interface Pending {
  state: string;
  nonce: string;
  code_verifier: string;
  return_to: string;
  max_age: number | undefined;
  /** Epoch seconds. */
  begun_at: number;
}

export interface SignedIn {
  account_id: string;
  /** Of the provider's session: when that ends, this ends. */
  uid: string;
  /** Epoch seconds when the person last proved who they are. */
  auth_time: number;
}

export interface Notice {
  /** Below `portal.notice.` in the catalogue. */
  key: string;
  variables?: Record<string, string | number>;
}

export interface PortalSession {
  /** By state, so that two tabs do not disturb each other. */
  pending?: Record<string, Pending>;
  signed_in?: SignedIn;
  /** Told once, on the next page. */
  notice?: Notice;
  /** What was typed into a form before its person had to prove who they are once more. Never a password. */
  draft?: { path: string; values: Record<string, string> };
}

const MOST_PENDING = 5;

export const sessionOf = (ctx: Context): PortalSession => (ctx as unknown as { session: PortalSession }).session;

/** A new session id with nothing in it but `content`: an id from before a sign-in is not good after it. */
export async function renewSession(ctx: Context, content: PortalSession): Promise<void> {
  const holder = ctx as unknown as { session: PortalSession & { regenerate(): Promise<void> } };
  holder.session = content as never;
  await holder.session.regenerate();
}

export function endPortalSession(ctx: Context): void {
  (ctx as unknown as { session: PortalSession | null }).session = null;
}

export function addPending(session: PortalSession, request: Pending): void {
  const recent = Object.entries(session.pending ?? {}).slice(1 - MOST_PENDING);
  session.pending = { ...Object.fromEntries(recent), [request.state]: request };
}
