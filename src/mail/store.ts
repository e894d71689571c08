/** What the outbox needs of a store. Times are in seconds since the epoch unless they say otherwise. */
import type { Page, PageRequest } from '../kernel/paging.ts';

/**
 * `waiting`: to be sent when it is due. `sent`: a mail server took it. `given_up`: refused for good or too old; an admin may
 * have it tried again. `shown`: in the development mailbox, never sent.
 */
export const MAIL_STATES = ['waiting', 'sent', 'given_up', 'shown'] as const;
export type MailState = (typeof MAIL_STATES)[number];

export interface QueuedMail {
  /** Also the local part of the mail's Message-ID, so that a copy sent after a crash can be told. */
  id: string;
  template: string;
  state: MailState;
  /** Recipient, language and data, sealed; null once it was sent. */
  sealed: Uint8Array | null;
  /** ISO 8601. */
  created_at: string;
  /** Not to be tried before. While an attempt is under way: when another may begin if nobody hears of this one any more. */
  due_at: number;
  /** A failure after this is the last. */
  give_up_at: number;
  /** How often sending it was begun. */
  attempts: number;
  /** Why the last attempt failed, sealed: servers repeat addresses and links in their answers. Null while one is under way. */
  problem: Uint8Array | null;
  /** When it was sent, given up or shown. */
  settled_at: number | null;
}

/** How an attempt ended. */
export type Outcome =
  | { state: 'sent'; settled_at: number }
  | { state: 'waiting'; due_at: number; problem: Uint8Array }
  | { state: 'given_up'; settled_at: number; problem: Uint8Array };

/** A driver's every method throws `unavailable` when its database does not answer. */
export interface OutboxStore {
  /** Adds a mail; it survives power loss. @returns false, changing nothing, where its id is there already. */
  insert(mail: QueuedMail): Promise<boolean>;
  find(id: string): Promise<QueuedMail | undefined>;
  /** Those in one state, oldest first. */
  list(state: MailState, page: PageRequest): Promise<Page<QueuedMail>>;
  /** Whether a waiting mail is due at `now`. Cheap: asked every second. */
  isDue(now: number): Promise<boolean>;

  /**
   * Makes `holder` the one that sends until `until`, or prolongs that. Of callers at once exactly one wins while nobody holds
   * the lease or it has ended by `now`. @returns whether `holder` has it.
   */
  lease(holder: string, now: number, until: number): Promise<boolean>;
  /** Ends the lease if `holder` has it. */
  release(holder: string): Promise<void>;
  /**
   * Begins an attempt at the waiting mail that has been due longest: counts it and moves `due_at` to `until`, so that of callers
   * at once one gets it and nobody else before `until`. Clears `problem`. @returns the mail as it is then, or undefined where none is due.
   */
  claim(now: number, until: number): Promise<QueuedMail | undefined>;
  /**
   * Notes how the attempt numbered `attempt` ended. A sent mail loses what was sealed. @returns false, changing nothing, where
   * another attempt has begun since or the mail is not waiting.
   */
  settle(id: string, attempt: number, outcome: Outcome): Promise<boolean>;

  /**
   * Makes a mail due at `now` that was given up, or waits after a failure. @returns false, changing nothing, for any other: one
   * that is being sent would be sent twice.
   */
  retry(id: string, now: number, give_up_at: number): Promise<boolean>;
  /** Puts `sealed` in the place of `seen` in one of the two sealed columns, if that is still there. @returns whether it was. */
  reseal(id: string, column: 'sealed' | 'problem', seen: Uint8Array, sealed: Uint8Array): Promise<boolean>;
  /** Removes at most `limit` mails in `state` that were settled at `before` or earlier. @returns how many. */
  purge(state: MailState, before: number, limit: number): Promise<number>;
}
