/** What log-out needs of a store. Times are in seconds since the epoch unless they say otherwise. */
import type { Page, PageRequest } from '../kernel/paging.ts';

/** That an app took part in a session: it got a code there, and with it a `sid` of its own. */
export interface SessionApp {
  /** Keyed hash of the session's uid. With `app_key` it is unique. */
  session_key: string;
  /** Keyed hash of session, client and `sid`. */
  app_key: string;
  /** Keyed hash of the account. */
  account_key: string;
  /** It got tokens that outlive the session. */
  offline: boolean;
  /** The session has ended, and the app was told; kept because of tokens that outlive it. */
  ended: boolean;
  /** Client, `sid`, account and uid of the session, sealed. */
  sealed: Uint8Array;
  expires_at: number;
}

/** `waiting`: to be told when it is due. `confirmed`: the app answered. `given_up`: refused for good or too old. */
export const DELIVERY_STATES = ['waiting', 'confirmed', 'given_up'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One app that is to be told of one log-out; or, without a client, the log-out itself, to be completed should it be broken off. */
export interface Delivery {
  id: string;
  /** The log-out it belongs to. */
  logout_id: string;
  client_id: string | null;
  /** Why it was ended, such as `log_out`. */
  cause: string;
  state: DeliveryState;
  /** Whom it is about, sealed; null once it was confirmed. */
  sealed: Uint8Array | null;
  /** ISO 8601. */
  created_at: string;
  /** Not to be tried before. While an attempt is under way: when another may begin if nobody hears of this one any more. */
  due_at: number;
  /** A failure after this is the last. */
  give_up_at: number;
  /** How often sending it was begun. */
  attempts: number;
  /** How often the app answered, and refused. */
  refusals: number;
  /** Why the last attempt failed, in words of ours. */
  problem: string | null;
  settled_at: number | null;
}

/** How an attempt ended. `refused`: the app answered, and said no. */
export type Outcome =
  | { state: 'confirmed'; settled_at: number }
  | { state: 'waiting'; due_at: number; problem: string; refused: boolean }
  | { state: 'given_up'; settled_at: number; problem: string; refused: boolean };

/** A driver's every method throws `unavailable` when its database does not answer. */
export interface LogoutStore {
  /** Adds an app, or renews it: the later expiry stays, and `offline` once it is set. Survives a killed process. */
  noteApp(app: SessionApp): Promise<void>;
  /** Those that have not expired by `now`, in no order. */
  appsOfSession(sessionKey: string, now: number): Promise<SessionApp[]>;
  appsOfAccount(accountKey: string, now: number): Promise<SessionApp[]>;
  /** Moves the expiry of a session's apps to `until`, where it is earlier. */
  prolongSession(sessionKey: string, until: number): Promise<void>;
  /** Of the named apps those with tokens that outlive their session become `ended`; the others go. */
  endApps(apps: Pick<SessionApp, 'session_key' | 'app_key'>[]): Promise<void>;
  removeApps(apps: Pick<SessionApp, 'session_key' | 'app_key'>[]): Promise<void>;
  /** Apps in the order of their keys, from the first one after `after`. */
  listApps(after: Pick<SessionApp, 'session_key' | 'app_key'> | undefined, limit: number): Promise<SessionApp[]>;
  /** Puts `sealed` in the place of what the app was read with, if that is still there. @returns whether it was. */
  resealApp(app: SessionApp, sealed: Uint8Array): Promise<boolean>;
  /** Removes apps that expired by `now`, at most `limit`. @returns how many. Stores that expire by themselves do nothing. */
  sweepApps(now: number, limit: number): Promise<number>;

  /**
   * Adds what is not there yet, by id, in the order given; it survives power loss. A crash may leave the later ones out, never
   * the earlier.
   */
  insert(deliveries: Delivery[]): Promise<void>;
  find(id: string): Promise<Delivery | undefined>;
  /** All of one log-out but itself, in no order. */
  listOf(logoutId: string): Promise<Delivery[]>;
  /** Those in one state, log-outs themselves too, oldest first. */
  list(state: DeliveryState, page: PageRequest): Promise<Page<Delivery>>;
  /** Whether one that waits is due at `now`. Cheap: asked every second. */
  isDue(now: number): Promise<boolean>;
  /**
   * Begins an attempt at the one that has been due longest, and is not for one of the clients `except`: counts it and moves
   * `due_at` to `until`, so that of callers at once one gets it and nobody else before `until`. Clears `problem`.
   * @returns it as it is then, or undefined where none is due.
   */
  claim(now: number, until: number, except: string[]): Promise<Delivery | undefined>;
  /**
   * Notes how the attempt numbered `attempt` ended. A confirmed one loses what was sealed. @returns false, changing nothing, where
   * another attempt has begun since or it is not waiting.
   */
  settle(id: string, attempt: number, outcome: Outcome): Promise<boolean>;
  /**
   * Makes one due at `now` that was given up, or waits after a failure. @returns false, changing nothing, for any other: one
   * that is being sent would be sent twice.
   */
  retry(id: string, now: number, giveUpAt: number): Promise<boolean>;
  /** Puts `sealed` in the place of `seen`, if that is still there. @returns whether it was. */
  reseal(id: string, seen: Uint8Array, sealed: Uint8Array): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Removes at most `limit` in `state` that were settled at `before` or earlier. @returns how many. */
  purge(state: DeliveryState, before: number, limit: number): Promise<number>;
}

/** The part of it about which app took part in which session. */
export type SessionAppStore = Pick<
  LogoutStore,
  | 'noteApp'
  | 'appsOfSession'
  | 'appsOfAccount'
  | 'prolongSession'
  | 'endApps'
  | 'removeApps'
  | 'listApps'
  | 'resealApp'
  | 'sweepApps'
>;
