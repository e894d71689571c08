/**
 * Forms that were sent and not acted on, because their person had to prove first who they are. What they typed waits for them, on the
 * server, and the page that they come back to says that nothing was done yet. No form is sent again for them: only they press buttons.
 */
import type { Context } from 'koa';
import { fields, isAnswered } from '../http/body.ts';
import { sessionOf } from './session.ts';
import type { VisitSession } from './session.ts';

/** What was typed before a proof. Never a password. */
export interface Draft {
  /** Who typed it: nobody else gets to see it. */
  account_id: string;
  /** The page of the form. */
  path: string;
  values: Record<string, string>;
}

/** Notes of a form that its fields named in `keep` are to be there again at `path`; a field that it did not have is not among them. */
export function putAside(ctx: Context, accountId: string, path: string, keep: string[]): void {
  const answered = keep.filter((name) => isAnswered(ctx, name));
  sessionOf(ctx).draft = {
    account_id: accountId,
    path,
    values: Object.fromEntries(answered.map((name) => [name, fields(ctx, name).join('\n')])),
  };
}

/** What of the session before a sign-in goes on in the one after it. */
export function carriedOver({ draft }: VisitSession, accountId: string, returnTo: string): VisitSession {
  if (draft?.account_id !== accountId) return {};
  return { draft, ...(draft.path === returnTo ? { unfinished: true } : {}) };
}

/** What was typed into the form of this page; given once. */
export function takeDraft(ctx: Context, path: string): Record<string, string> {
  const session = sessionOf(ctx);
  const { draft } = session;
  if (draft?.path !== path) return {};
  delete session.draft;
  session.unfinished = true;
  return draft.values;
}

/** Whether the next page is to say that nothing was done yet; told once. */
export function takeUnfinished(ctx: Context): boolean {
  const session = sessionOf(ctx);
  const { unfinished = false } = session;
  delete session.unfinished;
  return unfinished;
}
