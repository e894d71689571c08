/**
 * Which apps took part in which session. The provider's own session knows it too, but of two tabs that sign in to two apps at
 * once it may forget one; and what outlives the session (tokens with `offline_access`) it cannot know.
 */
import { epochSeconds } from '../kernel/clock.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { LogoutStore, SessionApp } from './store.ts';

/** An app in a session, opened. */
export interface Participant {
  client_id: string;
  /** What the app knows the session by (OpenID Connect Front-Channel Logout 1.0, section 3). */
  sid: string;
  account_id: string;
  session_uid: string;
}

export interface Known extends Participant, Pick<SessionApp, 'session_key' | 'app_key' | 'ended'> {}

export interface SessionApps {
  /** Before the app gets a code. @param app `offline`: it gets tokens that outlive the session. */
  note(app: Participant & { offline: boolean }): Promise<void>;
  /** The session is used, and goes on. */
  prolong(sessionUid: string): Promise<void>;
  ofSession(sessionUid: string): Promise<Known[]>;
  ofAccount(accountId: string): Promise<Known[]>;
  /** Their session has ended. */
  end(apps: Known[]): Promise<void>;
  remove(apps: Known[]): Promise<void>;
}

interface Needs {
  store: LogoutStore;
  vault: Vault;
  /** Seconds: at least twice the idle life of a session, and no less than tokens that outlive it. */
  ttl: () => number;
}

/** What a sealed app of a session is bound to. */
export const sessionAppContext = (session_key: string, app_key: string): string =>
  `session app:${session_key}.${app_key}`;

export function createSessionApps({ store, vault, ttl }: Needs): SessionApps {
  const sessionKey = (uid: string) => vault.lookupKey('uid', uid);
  const context = sessionAppContext;

  const open = ({ session_key, app_key, ended, sealed }: SessionApp): Known => ({
    ...(JSON.parse(vault.open(sealed, context(session_key, app_key))) as Participant),
    session_key,
    app_key,
    ended,
  });

  return {
    note({ offline, ...app }) {
      const session_key = sessionKey(app.session_uid);
      const app_key = vault.lookupKey('session app', `${app.session_uid} ${app.client_id} ${app.sid}`);
      return store.noteApp({
        session_key,
        app_key,
        account_key: vault.lookupKey('account', app.account_id),
        offline,
        ended: false,
        sealed: vault.seal(JSON.stringify(app), context(session_key, app_key)),
        expires_at: epochSeconds() + ttl(),
      });
    },
    prolong: (uid) => store.prolongSession(sessionKey(uid), epochSeconds() + ttl()),
    ofSession: async (uid) => (await store.appsOfSession(sessionKey(uid), epochSeconds())).map(open),
    ofAccount: async (id) => (await store.appsOfAccount(vault.lookupKey('account', id), epochSeconds())).map(open),
    end: (apps) => store.endApps(apps),
    remove: (apps) => store.removeApps(apps),
  };
}
