/** Sessions stay on the server, so that no token ever reaches the browser. A real app keeps them in its database. */
import type { Context } from 'koa';
import type { LogOut } from './log-out-tokens.ts';

export interface Session {
  /** A sign-in under way. */
  checks?: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string };
  person?: { sub: string; sid?: string; name?: string; email?: string; roles?: string[] };
  tokens?: { access_token: string; id_token: string; refresh_token?: string | undefined; expires_at: number };
  regenerate(): Promise<void>;
}

export const sessionOf = (ctx: Context) => (ctx as unknown as { session: Session }).session;

const sessions = new Map<string, Session>();
export const store = {
  get: async (id: string) => sessions.get(id),
  set: async (id: string, session: Session) => void sessions.set(id, session),
  destroy: async (id: string) => void sessions.delete(id),
};

/** Ends the session that Gatehouse knows by `sid`; all of the person's where it names none. */
export function endSessions({ sub, sid }: LogOut): void {
  for (const [id, { person }] of sessions)
    if (person && (sid === undefined ? person.sub === sub : person.sid === sid)) sessions.delete(id);
}
