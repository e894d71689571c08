/** What a place remembers of one browser: on the server, sealed, and of use only as long as the provider's own session goes on. */
import type { Context } from 'koa';
import type { Draft } from './unfinished.ts';

export interface SignedIn {
  account_id: string;
  /** Of the provider's session: when that ends, this ends. */
  uid: string;
  /** Epoch seconds when the person last proved who they are. */
  auth_time: number;
  /** Epoch seconds when they showed here that they hold a factor: the one that they added. */
  factor_at?: number;
}

export interface Notice {
  /** Of the place's notices in the catalogue. */
  key: string;
  variables?: Record<string, string | number>;
}

export interface VisitSession {
  signed_in?: SignedIn;
  /** Told once, on the next page. */
  notice?: Notice;
  /** What was typed into a form before its person had to prove who they are once more. */
  draft?: Draft;
  /** The next page says that what was sent there has done nothing yet. */
  unfinished?: boolean;
}

export const sessionOf = (ctx: Context): VisitSession => (ctx as unknown as { session: VisitSession }).session;

/** A new session id with nothing in it but `content`: an id from before a sign-in is not good after it. */
export async function renewSession(ctx: Context, content: VisitSession): Promise<void> {
  const holder = ctx as unknown as { session: VisitSession & { regenerate(): Promise<void> } };
  holder.session = content as never;
  await holder.session.regenerate();
}

export function endVisitSession(ctx: Context): void {
  (ctx as unknown as { session: VisitSession | null }).session = null;
}
