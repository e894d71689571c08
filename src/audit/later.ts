/**
 * What happens thousands of times a second: tokens issued, refreshed and revoked. Nobody waits for these records: they are kept in
 * memory, and at least twice a second what has come together is appended in one go, which costs a fraction of one commit each. A
 * process that is killed takes the last half second of them along; one that ends writes them first. The same of the same client and person
 * within that time is one record, with how often it was and until when.
 */
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Draft } from './document.ts';

export interface TokenEvent {
  type: 'token_issued' | 'token_refreshed' | 'token_revoked';
  client: string;
  /** Whose token it is; undefined where it is the client's own. */
  account: string | undefined;
  detail: Record<string, string>;
}

export interface Later {
  note(event: TokenEvent): void;
  /** Resolves when all that was noted is stored, or could not be. */
  flush(): Promise<void>;
}

interface Needs {
  append(draft: Draft): Promise<void>;
  /** The pseudonym of an account. */
  subjectOf(accountId: string): Promise<string>;
  log: Logger;
}

const EVERY_MS = 500;
/** More than a busy process notes in that time: while the store is away, the latest are left out. */
const MOST_WAITING = 20_000;
const MOST_AT_ONCE = 500;

interface Waiting {
  event: TokenEvent;
  at: number;
  count: number;
  until: number;
}

export function createLater({ append, subjectOf, log }: Needs): Later {
  let waiting: Waiting[] = [];
  let same = new Map<string, Waiting>();
  let left_out = 0;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  async function draftOf({ event, at, count, until }: Waiting): Promise<Draft> {
    const { type, client, account, detail } = event;
    return {
      id: newId(),
      at: new Date(at).toISOString(),
      type,
      actor: account === undefined ? { kind: 'client', id: client } : { kind: 'person', id: await subjectOf(account) },
      target: { kind: 'client', id: client },
      detail: count === 1 ? detail : { ...detail, count: String(count), until: new Date(until).toISOString() },
      reference: null,
      personal: [],
      adopted: null,
    };
  }

  async function write(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const batch = waiting.slice(0, MOST_AT_ONCE);
        waiting = waiting.slice(MOST_AT_ONCE);
        same = new Map();
        const drafts: Draft[] = [];
        for (const one of batch) drafts.push(await draftOf(one));
        await Promise.all(drafts.map((draft) => append(draft)));
      }
    } catch (error) {
      log.error({ err: error }, 'what became of tokens could not be noted');
    }
    if (left_out > 0) log.error({ left_out }, 'more became of tokens than could be noted');
    left_out = 0;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    running ??= write().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    note(event) {
      const now = Date.now();
      const key = JSON.stringify(event);
      const before = same.get(key);
      if (before) {
        before.count += 1;
        before.until = now;
        return;
      }
      if (waiting.length >= MOST_WAITING) {
        left_out += 1;
        return;
      }
      const one = { event, at: now, count: 1, until: now };
      waiting.push(one);
      same.set(key, one);
      timer ??= setTimeout(() => void flush(), EVERY_MS).unref();
    },
    async flush() {
      // What comes while it writes goes along with it, or with the next.
      do await flush();
      while (waiting.length > 0);
    },
  };
}
