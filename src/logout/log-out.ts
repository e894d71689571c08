/**
 * Log-out: what is ended, and which apps are told of it. This room owns the record of which app took part in which session
 * (`session-apps.ts`), the use cases that end things (`endings.ts`), the deliveries that wait until an app has confirmed
 * (`queue.ts`, `store.ts`), the runner that sends them (`runner.ts`), and what the page after a log-out says of them (`receipts.ts`).
 * It leaves to others how a log-out token is signed (`oidc/`), how an untrusted address is written to (`http/`) and the pages.
 */

/** Why something was ended. */
export type Cause =
  | 'log_out'
  | 'session_ended'
  | 'other_person'
  | 'password_changed'
  | 'suspended'
  | 'deletion'
  | 'erased'
  | 'factors_reset'
  | 'recovered'
  | 'app_withdrawn'
  | 'token_theft';

/** What is ended. */
export type Scope =
  /** One session, with the grants that end with it. */
  | { of: 'session'; session_uid: string }
  /** All sessions of a person but one. */
  | { of: 'others'; account_id: string; keep: string }
  /** All sessions and grants of a person; of one session, `keep`, only the grants. */
  | { of: 'account'; account_id: string; keep: string | undefined }
  /** All grants a person gave one app. */
  | { of: 'app'; account_id: string; client_id: string }
  /** One grant. `sid`: the session at the app, where the grant's tokens knew it. */
  | { of: 'grant'; account_id: string; client_id: string; grant_id: string; sid: string | undefined };

export interface LogOut {
  id: string;
  cause: Cause;
  scope: Scope;
}
