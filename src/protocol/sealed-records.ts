/** Protocol payloads in and out of the store: ids become keyed hashes, payloads are sealed with their key as context. */
import { epochSeconds } from '../kernel/clock.ts';
import { conflict } from '../kernel/errors.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { ProtocolRecord, ProtocolStore } from './store.ts';

/** As what a payload was read, to tell whether the record is still the same. A symbol, so that it is never written. */
const READ_AS = Symbol('read as');
/** What a record says, where that is known: a store may give the same record several times. A symbol too. */
const OPENED = Symbol('opened');
type Opened = ProtocolRecord & { [OPENED]?: string };

export interface Payload {
  [READ_AS]?: Uint8Array;
  [name: string]: unknown;
  accountId?: string | undefined;
  grantId?: string | undefined;
  uid?: string | undefined;
  userCode?: string | undefined;
  /** Of a grant: the uid of the session it ends with. */
  sessionUid?: string | undefined;
  consumed?: unknown;
}

const CHANGE_ATTEMPTS = 20;

export interface SealedRecords {
  /** @param ttl life in seconds; undefined never expires. */
  upsert(kind: string, id: string, payload: Payload, ttl: number | undefined): Promise<void>;
  /** Puts a record in the place of the one under `fromId`, if that is still there. @returns whether it was. */
  move(kind: string, fromId: string, id: string, payload: Payload, ttl: number): Promise<boolean>;
  /** @returns whether the id was free. */
  insertIfAbsent(kind: string, id: string, payload: Payload, ttl: number): Promise<boolean>;
  /**
   * Makes the newest payload into the next one, again when somebody else was faster. `apply` gets undefined where there is none.
   * @returns the payload that was stored. @throws conflict when it keeps changing.
   */
  change(kind: string, id: string, apply: (current: Payload | undefined) => Payload, ttl: number): Promise<Payload>;
  /** Puts `payload` in the place of `seen`, which `find` gave, if that is still there. @returns whether it was. */
  replace(kind: string, id: string, seen: Payload, payload: Payload, ttl: number | undefined): Promise<boolean>;
  find(kind: string, id: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  /** Whether there is a session with this uid. */
  hasUid(uid: string): Promise<boolean>;
  findByUserCode(userCode: string): Promise<Payload | undefined>;
  /** @returns whether this caller is the one that consumed it. */
  consume(kind: string, id: string): Promise<boolean>;
  destroy(kind: string, id: string): Promise<void>;
  /** Removes all that descends from a grant. */
  revokeGrant(grantId: string, options: { withGrant: boolean }): Promise<void>;
  revokeBySession(sessionUid: string): Promise<void>;
  /** @param options `keepSession`: the uid of the one session that stays. */
  revokeByAccount(accountId: string, options?: { keepSession: string }): Promise<void>;
  /** What an account has of one kind, such as `Session`, in no order. */
  listByAccount(kind: string, accountId: string): Promise<Payload[]>;
  /** Sessions in which somebody is signed in, those used last first. @param after the `next` of the page before. */
  listSessions(
    after: SessionPosition | undefined,
    limit: number,
  ): Promise<{ items: Payload[]; next: SessionPosition | undefined }>;
  /** How many there are, counted up to `most`. */
  countSessions(most: number): Promise<number>;
  /** Removes the grants an account gave to one client, and all that descends from them. */
  revokeByClient(accountId: string, clientId: string): Promise<void>;
}

/** Where a page of sessions ended. */
export interface SessionPosition {
  expires_at: number;
  key: string;
}

const OF_AN_ACCOUNT = new Set([
  'Session',
  'Grant',
  'Progress',
  'MailRequest',
  'KnownDevice',
  'TotpEnrolment',
  'FirstDevice',
  'Approval',
  'Ping',
]);

/**
 * Whose record it is, so that it can be ended with the account: a session, a grant, the mark of a device, what was proved on
 * the way to a sign-in, and an interaction in which somebody has signed in but not gone on yet.
 */
function accountOf(kind: string, payload: Payload): string | undefined {
  if (OF_AN_ACCOUNT.has(kind)) return payload.accountId;
  if (kind !== 'Interaction') return undefined;
  const { result, lastSubmission } = payload as { result?: Login; lastSubmission?: Login };
  return result?.login?.accountId ?? lastSubmission?.login?.accountId;
}

interface Login {
  login?: { accountId?: string };
}

export function createSealedRecords({ store, vault }: { store: ProtocolStore; vault: Vault }): SealedRecords {
  const optional = (kind: string, id: string | undefined) => (id === undefined ? null : vault.lookupKey(kind, id));

  /** An interaction only remembers a grant: it does not end with it. */
  function grantKey(kind: string, key: string, { grantId }: Payload): string | null {
    if (kind === 'Grant') return key;
    return kind === 'Interaction' ? null : optional('Grant', grantId);
  }

  function toRecord(kind: string, id: string, payload: Payload, ttl: number | undefined): Opened {
    const key = vault.lookupKey(kind, id);
    const plain = JSON.stringify(payload);
    return {
      [OPENED]: plain,
      key,
      kind,
      sealed: vault.seal(plain, key),
      expires_at: ttl === undefined ? null : epochSeconds() + ttl,
      consumed_at: null,
      grant_key: grantKey(kind, key, payload),
      uid_key: kind === 'Session' ? optional('uid', payload.uid) : null,
      user_code_key: optional('user code', payload.userCode),
      account_key: optional('account', accountOf(kind, payload)),
      session_key: kind === 'Grant' ? optional('uid', payload.sessionUid) : null,
    };
  }

  function toPayload(record: Opened | undefined): Payload | undefined {
    if (!record) return undefined;
    const payload = JSON.parse((record[OPENED] ??= vault.open(record.sealed, record.key))) as Payload;
    if (record.consumed_at !== null) payload.consumed = record.consumed_at;
    payload[READ_AS] = record.sealed;
    return payload;
  }

  return {
    // The mark of a revoked token must not be lost, or the token lives on.
    upsert: (kind, id, payload, ttl) =>
      store.upsert(toRecord(kind, id, payload, ttl), { durable: kind === 'RevokedToken' }),
    move: (kind, fromId, id, payload, ttl) =>
      store.move(vault.lookupKey(kind, fromId), toRecord(kind, id, payload, ttl)),
    insertIfAbsent: (kind, id, payload, ttl) => store.insertIfAbsent(toRecord(kind, id, payload, ttl)),
    async change(kind, id, apply, ttl) {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
        const current = await store.find(vault.lookupKey(kind, id));
        const next = apply(toPayload(current));
        const record = toRecord(kind, id, next, ttl);
        if (await (current ? store.swap(record, current.sealed) : store.insertIfAbsent(record))) return next;
      }
      throw conflict(`the ${kind} keeps changing; try again`);
    },
    async replace(kind, id, seen, payload, ttl) {
      const sealed = seen[READ_AS];
      if (sealed === undefined) return false;
      const record = toRecord(kind, id, payload, ttl);
      let replaced = await store.swap(record, sealed);
      if (!replaced) {
        // The same payload, sealed anew meanwhile with a newer key, is still what was seen.
        const current = await store.find(record.key);
        const same = current && vault.open(current.sealed, record.key) === vault.open(sealed, record.key);
        replaced = same === true && (await store.swap(record, current.sealed));
      }
      if (replaced) payload[READ_AS] = record.sealed; // so that it can be replaced in its turn
      return replaced;
    },
    find: async (kind, id) => toPayload(await store.find(vault.lookupKey(kind, id))),
    findByUid: async (uid) => toPayload(await store.findByUid(vault.lookupKey('uid', uid))),
    hasUid: async (uid) => (await store.findByUid(vault.lookupKey('uid', uid))) !== undefined,
    findByUserCode: async (userCode) => toPayload(await store.findByUserCode(vault.lookupKey('user code', userCode))),
    consume: (kind, id) => store.consume(vault.lookupKey(kind, id), epochSeconds()),
    // An ended session must stay ended; an interaction that comes back after a power cut merely asks once more.
    destroy: (kind, id) => store.destroy(vault.lookupKey(kind, id), { durable: kind === 'Session' }),
    async revokeByClient(accountId, clientId) {
      const grants = await store.listByAccount(vault.lookupKey('account', accountId), 'Grant');
      const ofClient = grants.filter((grant) => toPayload(grant)?.['clientId'] === clientId);
      await Promise.all(ofClient.map(({ key }) => store.revokeGrant(key, { withGrant: true })));
    },
    revokeGrant: (grantId, options) => store.revokeGrant(vault.lookupKey('Grant', grantId), options),
    revokeBySession: (sessionUid) => store.revokeBySession(vault.lookupKey('uid', sessionUid)),
    async revokeByAccount(accountId, options) {
      const account = vault.lookupKey('account', accountId);
      // Ended, and nobody's: how they began is known as long as before.
      const underWay = (await store.listByAccount(account, 'Interaction')).filter((one) => one.consumed_at === null);
      const ended = { account_key: null, consumed_at: epochSeconds() };
      await Promise.all(underWay.map((one) => store.upsert({ ...one, ...ended })));
      return store.revokeByAccount(account, options && { keepUid: vault.lookupKey('uid', options.keepSession) });
    },
    async listSessions(after, limit) {
      const found = await store.listSessions(after, limit + 1);
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        items: shown.map((record) => toPayload(record)!),
        next:
          found.length > limit && last && last.expires_at !== null
            ? { expires_at: last.expires_at, key: last.key }
            : undefined,
      };
    },
    countSessions: (most) => store.countSessions(most),
    listByAccount: async (kind, accountId) =>
      (await store.listByAccount(vault.lookupKey('account', accountId), kind)).map((record) => toPayload(record)!),
  };
}
