import type { CurrentCaller } from '../kernel/caller.ts';
import { isoNow } from '../kernel/clock.ts';
import { invalidInput } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { encodePosition, readPageRequest } from '../kernel/paging.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import { markAt } from './chain.ts';
import type { Signer } from './chain.ts';
import { toEntry } from './document.ts';
import type { Draft } from './document.ts';
import type { ActType, Actor, AuditEntry, AuditEvent, By, EventType, TargetKind } from './event.ts';
import { createLater } from './later.ts';
import type { TokenEvent } from './later.ts';
import { networkPart } from './network.ts';
import { createSubjects } from './subjects.ts';
import type { AuditStore, OldEvent, RecordFilter, StoredRecord } from './store.ts';
import { verifyChain } from './verify.ts';
import type { Verdict, Witness } from './verify.ts';
import { createWriter } from './writer.ts';

/** What is looked for: people by account id, or by the pseudonym that is left of them. */
export interface AuditSearch extends PageRequest {
  type?: string | undefined;
  actor?: string | undefined;
  target?: string | undefined;
  /** Of an error page or an answer of the admin API. */
  reference?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** Whoever runs commands on the machine. */
export interface Operator {
  /** What the operating system calls them; null where it does not say. */
  name: string | null;
  /** What each record of theirs tells beside the rest, but for those of people: these are the people's to read. */
  detail: Record<string, string>;
}

export interface Audit {
  /**
   * Notes what happened to an account; from where and by which device it takes from the request under way. Never rejects: what was
   * done stands, and that it could not be noted is logged.
   */
  record(type: EventType, accountId: string, about?: { actor?: Actor; detail?: Record<string, string> }): Promise<void>;
  /** The same of anything else: an app, an API, the program itself. */
  act(
    type: ActType,
    target: { kind: Exclude<TargetKind, 'person'>; id: string | null },
    detail?: Record<string, string>,
  ): Promise<void>;
  /** Notes what became of a token, within half a second: nobody waits for it. */
  token(event: TokenEvent): void;
  /** Notes why a request was refused, under the reference code of its answer. Never rejects. */
  refused(reference: string, client: string | undefined, detail: Record<string, string>): Promise<void>;
  /** Newest first. */
  listByAccount(accountId: string, page: PageRequest): Promise<Page<AuditEvent>>;
  /** Newest first. @throws invalid_input when the cursor or limit is not ours. */
  search(search: AuditSearch): Promise<Page<AuditEntry>>;
  /** When things of a type happened (ISO 8601), newest first. @param limit how many at most. */
  timesOf(type: EventType | ActType, limit: number): Promise<string[]>;
  /** Leaves the records of an erased account under a pseudonym, without anything that tells whose they were. */
  erase(accountId: string): Promise<void>;
  /** Removes what is older than records are kept, and leaves a signed cut. */
  purge(): Promise<void>;
  verify(witnesses?: Witness[]): Promise<Verdict>;
  /** Whether there are records of before the chain. */
  hasOld(): Promise<boolean>;
  /** Takes them into it: one process at a time. */
  adopt(): Promise<void>;
  /** Writes to the log where the chain ends, if that is news. */
  logHead(): Promise<void>;
  /** Resolves when all that was noted is stored. */
  idle(): Promise<void>;
}

interface Needs {
  store: AuditStore;
  signer: Signer;
  caller: CurrentCaller;
  /** In a command. */
  operator?: Operator | undefined;
  deviceName: (userAgent: string) => string | null;
  /** Seconds that records are kept. */
  retention: number;
  log: Logger;
}

const BATCH = 500;
/** The cursor of a listing by number. */
const BY_NUMBER = 'seq';

/** Of the entry on an account, as its person reads it. */
const toEvent = (entry: AuditEntry, account_id: string): AuditEvent => ({
  id: entry.id,
  type: entry.type as EventType,
  account_id,
  actor: entry.actor.kind === 'person' || entry.actor.kind === 'system' ? entry.actor.kind : 'admin',
  // From where an admin did it is not the person's to know.
  network: entry.actor.kind === 'person' ? entry.network : null,
  device: entry.actor.kind === 'person' ? entry.device : null,
  detail: entry.detail,
  created_at: entry.at,
});

export function createAudit({ store, signer, caller, operator, deviceName, retention, log }: Needs): Audit {
  const writer = createWriter({ store, signer });
  const subjects = createSubjects(store);
  const later = createLater({ append: (draft) => writer.append(draft), subjectOf: (id) => subjects.of(id), log });
  let logged: string | undefined;

  /** Who acts: as proved by the request under way, or as the use case knows. */
  async function actorOf(actor: Actor, accountId: string | null): Promise<Draft['actor']> {
    const by = caller()?.by;
    if (actor === 'system') return { kind: 'system', id: null };
    if (by?.kind === 'client') return { kind: 'client', id: by.id };
    if (by?.kind === 'admin') return { kind: 'admin', id: await subjects.of(by.id) };
    if (actor === 'person' && accountId !== null) return { kind: 'person', id: await subjects.of(accountId) };
    return { kind: 'operator', id: operator?.name ?? null };
  }

  function whereFrom(kind: By) {
    const from = kind === 'system' || kind === 'operator' ? undefined : caller();
    return {
      network: from ? networkPart(from.address) : null,
      device: from ? deviceName(from.user_agent) : null,
    };
  }

  function draftOf(
    type: Draft['type'],
    actor: Draft['actor'],
    target: Draft['target'],
    detail: Draft['detail'],
  ): Draft {
    const ofPerson = target.kind === 'person';
    const from = whereFrom(actor.kind);
    const isOwn = ofPerson && actor.id === target.id;
    const personal: Draft['personal'] = [];
    if (ofPerson) personal.push({ subject: target.id!, detail, ...(isOwn ? from : {}) });
    if (!isOwn && actor.kind === 'admin') personal.push({ subject: actor.id!, ...from });
    const reference = caller()?.by?.reference ?? null;
    return {
      id: newId(),
      at: isoNow(),
      type,
      actor,
      target,
      detail: ofPerson ? {} : { ...(actor.kind === 'operator' ? operator?.detail : {}), ...detail },
      reference,
      personal,
      adopted: null,
    };
  }

  async function note(type: Draft['type'], make: () => Promise<Draft>): Promise<void> {
    try {
      await writer.append(await make());
    } catch (error) {
      log.error({ err: error, type }, 'an event could not be noted');
    }
  }

  async function toEntries(records: StoredRecord[]): Promise<AuditEntry[]> {
    const parts = await store.partsOf(records.map(({ id }) => id));
    const named = records.flatMap(({ actor, target }) => [actor, target]).filter((one) => one !== null);
    const accounts = await store.accountsOf([...new Set(named)]);
    return records.map((record) =>
      toEntry(
        record,
        parts.filter(({ record_id }) => record_id === record.id),
        (subject) => accounts.get(subject) ?? subject,
      ),
    );
  }

  function beforeOf(position: [string, string] | undefined): number | undefined {
    if (!position) return undefined;
    const before = Number(position[1]);
    if (position[0] !== BY_NUMBER || !Number.isSafeInteger(before))
      throw invalidInput('the cursor is not one that a listing gave', 'after');
    return before;
  }

  async function page(filter: RecordFilter, request: PageRequest): Promise<Page<AuditEntry>> {
    const { position, limit } = readPageRequest(request);
    const found = await store.list({ ...filter, before: beforeOf(position) }, limit + 1);
    const items = await toEntries(found.slice(0, limit));
    const last = items.at(-1);
    return {
      items,
      next: found.length > limit && last ? encodePosition([BY_NUMBER, String(last.seq)]) : undefined,
    };
  }

  const fromOld = async (old: OldEvent): Promise<Draft> => {
    const target = old.account_id.startsWith('erased_') ? old.account_id : await subjects.of(old.account_id);
    const { network, device, detail } = old;
    const isBare = network === null && device === null && Object.keys(detail).length === 0;
    return {
      id: newId(),
      at: old.created_at,
      type: old.type as EventType,
      actor:
        old.actor === 'person'
          ? { kind: 'person', id: target }
          : { kind: old.actor === 'admin' ? 'operator' : 'system', id: null },
      target: { kind: 'person', id: target },
      detail: {},
      reference: null,
      personal: isBare ? [] : [{ subject: target, network, device, detail }],
      adopted: old.id,
    };
  };

  const act: Audit['act'] = (type, target, detail = {}) =>
    note(type, async () => {
      const actor = type === 'records_removed' ? 'system' : 'admin';
      return draftOf(type, await actorOf(actor, null), target, detail);
    });

  return {
    record: (type, accountId, { actor = 'person', detail = {} } = {}) =>
      note(type, async () => {
        const target = { kind: 'person', id: await subjects.of(accountId) } as const;
        return draftOf(type, await actorOf(actor, accountId), target, detail);
      }),
    act,
    token: (event) => later.note(event),
    refused: (reference, client, detail) =>
      note('request_refused', async () => {
        const target =
          client === undefined ? ({ kind: 'system', id: null } as const) : ({ kind: 'client', id: client } as const);
        return { ...draftOf('request_refused', { kind: 'system', id: null }, target, detail), reference };
      }),

    async listByAccount(accountId, request) {
      const target = (await store.findSubject(accountId)) ?? accountId;
      const { items, next } = await page({ target }, request);
      return { items: items.map((entry) => toEvent(entry, accountId)), next };
    },
    async search({ type, actor, target, reference, from, to, ...request }) {
      const named = async (who: string | undefined) => who && ((await store.findSubject(who)) ?? who);
      const who = { actor: await named(actor), target: await named(target) };
      return page({ type, ...who, reference: reference?.trim().toUpperCase(), from, to }, request);
    },

    timesOf: (type, limit) => store.timesOf(type, limit),

    async erase(accountId) {
      await later.flush();
      await writer.idle();
      const subject = await store.findSubject(accountId);
      subjects.forget(accountId);
      if (subject !== undefined) await store.forget(accountId, subject);
    },

    async purge() {
      const before = new Date(Date.now() - retention * 1000).toISOString();
      const last = await store.lastBefore(before);
      const cut = await store.cut();
      const upTo = last ?? cut;
      if (!upTo) return;
      if (last) {
        await store.setCut(markAt(signer, 'cut', last, isoNow()));
        await act('records_removed', { kind: 'system', id: null }, { up_to: String(last.seq) });
      }
      while ((await store.removeUpTo(upTo.seq, BATCH)) === BATCH);
    },

    verify: async (witnesses) => {
      await later.flush();
      await writer.idle();
      return verifyChain(store, signer, witnesses);
    },

    hasOld: async () => (await store.listOld(1)).length > 0,
    async adopt() {
      for (;;) {
        const old = await store.listOld(BATCH);
        if (old.length === 0) return;
        const known = new Set(await store.adopted(old.map(({ id }) => id)));
        const drafts: Draft[] = [];
        for (const one of old) if (!known.has(one.id)) drafts.push(await fromOld(one));
        await Promise.all(drafts.map((draft) => writer.append(draft)));
        await store.removeOld(old.map(({ id }) => id));
      }
    },

    async logHead() {
      const head = await store.head();
      if (!head || head.mac === logged) return;
      logged = head.mac;
      log.info({ seq: head.seq, mac: head.mac }, 'the head of the audit chain');
    },
    async idle() {
      await later.flush();
      await writer.idle();
    },
  };
}
