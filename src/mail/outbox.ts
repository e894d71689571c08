/**
 * The outbox: mails in and out of the store. Whom a mail is for and what it says (links, codes) is sealed with its id as
 * context, so that a dump of the store opens no account.
 */
import { epochSeconds, isoNow } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { Message } from './message.ts';
import type { MailState, OutboxStore, QueuedMail } from './store.ts';

const DAY = 86_400;
/** How long a mail is tried. */
export const TRIED_SECONDS = 3 * DAY;

const PURGED_AT_ONCE = 200;

/** A mail of the outbox, opened. */
export interface Entry {
  id: string;
  template: string;
  state: MailState;
  /** Undefined once it was sent. */
  message: Message | undefined;
  created_at: string;
  due_at: number;
  give_up_at: number;
  attempts: number;
  /** Why the last attempt failed, in the mail server's words. */
  problem: string | undefined;
  settled_at: number | null;
}

export interface Outbox {
  /**
   * Keeps a mail durably. @param key a second mail with the same key is not kept while the first is remembered.
   * @param state `waiting` to have it sent, `shown` for the development mailbox.
   */
  add(message: Message, options: { key?: string | undefined; state: 'waiting' | 'shown' }): Promise<void>;
  find(id: string): Promise<Entry | undefined>;
  list(state: MailState, page: PageRequest): Promise<Page<Entry>>;
  /** Has a failed mail tried again at once. @returns whether there was one. */
  retry(id: string): Promise<boolean>;
  /** Empties the development mailbox. */
  forgetShown(): Promise<void>;
  open(mail: QueuedMail): Entry;
  sealProblem(id: string, problem: string): Uint8Array;
}

/** What the sealed parts of a mail are bound to. */
export const mailContext = (id: string): string => `mail:${id}`;

export function createOutbox({ store, vault }: { store: OutboxStore; vault: Vault }): Outbox {
  const context = mailContext;

  function open({ id, sealed, problem, ...rest }: QueuedMail): Entry {
    return {
      id,
      ...rest,
      message: sealed
        ? { template: rest.template, ...(JSON.parse(vault.open(sealed, context(id))) as Omit<Message, 'template'>) }
        : undefined,
      problem: problem ? vault.open(problem, context(id)) : undefined,
    };
  }

  return {
    open,
    sealProblem: (id, problem) => vault.seal(problem, context(id)),
    async add({ template, to, locale, data }, { key, state }) {
      // With a letter before it, as a command line takes what begins with a hyphen for an option.
      const id = key === undefined ? newId() : `k${vault.lookupKey('mail', key)}`;
      const now = epochSeconds();
      await store.insert({
        id,
        template,
        state,
        sealed: vault.seal(JSON.stringify({ to, locale, data }), context(id)),
        created_at: isoNow(),
        due_at: now,
        give_up_at: now + TRIED_SECONDS,
        attempts: 0,
        problem: null,
        settled_at: state === 'shown' ? now : null,
      });
    },
    async find(id) {
      const mail = await store.find(id);
      return mail && open(mail);
    },
    async list(state, page) {
      const { items, next } = await store.list(state, page);
      return { items: items.map(open), next };
    },
    async forgetShown() {
      while ((await store.purge('shown', epochSeconds(), PURGED_AT_ONCE)) === PURGED_AT_ONCE);
    },
    retry: (id) => {
      const now = epochSeconds();
      return store.retry(id, now, now + TRIED_SECONDS);
    },
  };
}
