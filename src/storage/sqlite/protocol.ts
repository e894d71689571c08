import QuickLRU from 'quick-lru';
import { epochSeconds } from '../../kernel/clock.ts';
import type { ProtocolRecord, ProtocolStore } from '../../protocol/store.ts';
import type { Commits } from './commits.ts';
import type { Connection } from './connect.ts';
import type { GroupCommit } from './group-commit.ts';
import { createRecent } from './recent.ts';

const COLUMNS =
  'key, kind, sealed, expires_at, consumed_at, grant_key, uid_key, user_code_key, account_key, session_key';
/** Half a kilobyte each, those of a sign-in under way a few. */
const RECENT = 1000;
/** What the next request of a sign-in reads: held from the first write on. */
const READ_NEXT = new Set(['Interaction', 'Session', 'Grant', 'AuthorizationCode']);
const FRESH = '(expires_at IS NULL OR expires_at > ?)';

const values = (r: ProtocolRecord) =>
  [
    r.key,
    r.kind,
    r.sealed,
    r.expires_at,
    r.consumed_at,
    r.grant_key,
    r.uid_key,
    r.user_code_key,
    r.account_key,
    r.session_key,
  ] as const;

/**
 * @param everyday writes with `synchronous` NORMAL: what is lost at a power cut is asked for again. The write-ahead log is cut
 *   at a point in time, so a lost consumption takes along what was given for it.
 * @param durable writes with FULL: what was revoked must stay so.
 * @param group the group commit of `everyday`. @param commits what others than `everyday` commit.
 */
export function protocolStore(
  everyday: Connection,
  durable: Connection,
  group: GroupCommit,
  commits: Commits,
): ProtocolStore {
  const upsertSql = `INSERT INTO protocol_records (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at, grant_key = excluded.grant_key,
       uid_key = excluded.uid_key, user_code_key = excluded.user_code_key, account_key = excluded.account_key,
       session_key = excluded.session_key, consumed_at = coalesce(consumed_at, excluded.consumed_at)`;
  const upsert = everyday.prepare(upsertSql);
  const upsertTelling = everyday.prepare(`${upsertSql} RETURNING consumed_at`);
  const upsertDurably = durable.prepare(upsertSql);
  const move = everyday.prepare(
    `UPDATE protocol_records SET key = ?, kind = ?, sealed = ?, expires_at = ?, consumed_at = ?, grant_key = ?, uid_key = ?,
       user_code_key = ?, account_key = ?, session_key = ? WHERE key = ? AND ${FRESH}`,
  );
  // SQLite writes an index anew for each column that is named, changed or not: most often only these two are.
  const swapPayload = everyday.prepare(
    `UPDATE protocol_records SET sealed = ?, expires_at = ? WHERE key = ? AND sealed = ? AND grant_key IS ? AND uid_key IS ?
       AND user_code_key IS ? AND account_key IS ? AND session_key IS ? AND ${FRESH}`,
  );
  const swap = everyday.prepare(
    `UPDATE protocol_records SET sealed = ?, expires_at = ?, grant_key = ?, uid_key = ?, user_code_key = ?, account_key = ?,
       session_key = ? WHERE key = ? AND sealed = ? AND ${FRESH}`,
  );
  const insertIfAbsent = everyday.prepare(
    `INSERT INTO protocol_records (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, sealed = excluded.sealed, expires_at = excluded.expires_at,
       consumed_at = excluded.consumed_at, grant_key = excluded.grant_key, uid_key = excluded.uid_key,
       user_code_key = excluded.user_code_key, account_key = excluded.account_key, session_key = excluded.session_key
     WHERE protocol_records.expires_at <= ?`,
  );
  const select = (column: string) =>
    everyday.prepare(`SELECT ${COLUMNS} FROM protocol_records WHERE ${column} = ? AND ${FRESH}`);
  const byKey = select('key');
  const byUid = select('uid_key');
  const byUserCode = select('user_code_key');
  const consume = everyday.prepare(
    `UPDATE protocol_records SET consumed_at = ? WHERE key = ? AND consumed_at IS NULL AND ${FRESH}`,
  );
  const destroy = 'DELETE FROM protocol_records WHERE key = ?';
  const destroyEveryday = everyday.prepare(destroy);
  const destroyDurably = durable.prepare(destroy);
  const byAccount = everyday.prepare(
    `SELECT ${COLUMNS} FROM protocol_records WHERE account_key = ? AND kind = ? AND ${FRESH}`,
  );
  const inOrder = everyday.prepare(
    `SELECT ${COLUMNS} FROM protocol_records WHERE key > ? AND ${FRESH} ORDER BY key LIMIT ?`,
  );
  const SIGNED_IN = "kind = 'Session' AND account_key IS NOT NULL";
  const sessions = everyday.prepare(
    `SELECT ${COLUMNS} FROM protocol_records WHERE ${SIGNED_IN} AND (expires_at, key) < (?, ?) AND expires_at > ?
     ORDER BY expires_at DESC, key DESC LIMIT ?`,
  );
  const countSessions = everyday.prepare(
    `SELECT count(*) AS count FROM (SELECT 1 FROM protocol_records WHERE ${SIGNED_IN} AND expires_at > ? LIMIT ?)`,
  );
  const revokeAll = durable.prepare('DELETE FROM protocol_records WHERE grant_key = ?');
  const revokeDescendants = durable.prepare('DELETE FROM protocol_records WHERE grant_key = ? AND key <> grant_key');
  const grantsOf = (column: string) =>
    `SELECT grant_key FROM protocol_records WHERE ${column} = ? AND grant_key IS NOT NULL`;
  const revokeBySession = durable.prepare(
    `DELETE FROM protocol_records WHERE uid_key = ? OR grant_key IN (${grantsOf('session_key')})`,
  );
  const revokeByAccount = durable.prepare(
    `DELETE FROM protocol_records WHERE (account_key = ? AND uid_key IS NOT ?) OR grant_key IN (${grantsOf('account_key')})`,
  );
  const sweep = everyday.prepare(
    'DELETE FROM protocol_records WHERE key IN (SELECT key FROM protocol_records WHERE expires_at <= ? LIMIT ?)',
  );

  const recent = createRecent<ProtocolRecord>(commits, RECENT);

  /** Where what has a uid was last: whether it is there still, its record says. */
  const keysByUid = new QuickLRU<string, string>({ maxSize: RECENT });

  const find = (statement: typeof byKey, value: string) =>
    statement.get(value, epochSeconds()) as ProtocolRecord | undefined;

  function keep(row: ProtocolRecord): void {
    recent.set(row.key, row);
    if (row.uid_key !== null) keysByUid.set(row.uid_key, row.key);
  }

  const isFresh = ({ expires_at }: ProtocolRecord) => expires_at === null || expires_at > epochSeconds();

  function findByKey(key: string): ProtocolRecord | undefined {
    let row = recent.get(key);
    if (row === undefined) {
      row = find(byKey, key) ?? null;
      if (row) keep(row);
      else recent.set(key, null);
    }
    return row && isFresh(row) ? row : undefined;
  }

  function findByUid(uidKey: string): ProtocolRecord | undefined {
    const key = keysByUid.get(uidKey);
    const held = key === undefined ? undefined : recent.get(key);
    if (held?.uid_key === uidKey && isFresh(held)) return held;
    const row = find(byUid, uidKey);
    if (row) keep(row);
    return row;
  }

  const hold = (record: ProtocolRecord, { consumed_at }: Pick<ProtocolRecord, 'consumed_at'>) =>
    keep(consumed_at === null ? record : { ...record, consumed_at });

  /**
   * Runs a write of one record with the writes beside it. What was known of it is known again at once, as a later write of the
   * same group may change it again: nobody reads before the group is committed, and nothing is known of one that was not.
   */
  const writeOne = <T>(record: ProtocolRecord, write: () => T): Promise<T> =>
    group.write(() => {
      const before = recent.take(record.key);
      const written = write();
      if (before && written !== false) hold(record, before);
      return written;
    }, recent.clear);

  /** Holds the record as it is then: one that was consumed stays so. */
  const upsertAndHold = (record: ProtocolRecord) =>
    group.write(() => {
      recent.take(record.key);
      hold(record, upsertTelling.get(...values(record)) as Pick<ProtocolRecord, 'consumed_at'>);
    }, recent.clear);

  /** Runs a write of which only the key is known. */
  const forgetting = <T>(key: string, write: () => T) =>
    group.write(() => {
      recent.take(key);
      return write();
    });

  function swapNow(r: ProtocolRecord, seen: Uint8Array): boolean {
    const columns = [r.grant_key, r.uid_key, r.user_code_key, r.account_key, r.session_key];
    const now = epochSeconds();
    return (
      swapPayload.run(r.sealed, r.expires_at, r.key, seen, ...columns, now) === 1 ||
      swap.run(r.sealed, r.expires_at, ...columns, r.key, seen, now) === 1
    );
  }

  /** Behind what already waits: a revocation must find the tokens it ends. */
  const durably = (work: () => unknown) => {
    group.flush();
    recent.clear();
    work();
  };

  return {
    async upsert(record, options) {
      if (options?.durable) durably(() => upsertDurably.run(...values(record)));
      else if (READ_NEXT.has(record.kind)) await upsertAndHold(record);
      else await writeOne(record, () => void upsert.run(...values(record)));
    },
    move: (fromKey, record) =>
      group.write(() => {
        recent.take(fromKey);
        recent.take(record.key);
        const moved = move.run(...values(record), fromKey, epochSeconds()) === 1;
        if (moved) keep(record);
        return moved;
      }, recent.clear),
    swap: (record, sealed) => writeOne(record, () => swapNow(record, sealed)),
    insertIfAbsent: (record) =>
      forgetting(record.key, () => insertIfAbsent.run(...values(record), epochSeconds()) === 1),
    find: async (key) => findByKey(key),
    findByUid: async (uidKey) => findByUid(uidKey),
    findByUserCode: async (userCodeKey) => find(byUserCode, userCodeKey),
    consume: (key, at) => forgetting(key, () => consume.run(at, key, epochSeconds()) === 1),
    destroy: async (key, options) =>
      options.durable ? durably(() => destroyDurably.run(key)) : forgetting(key, () => void destroyEveryday.run(key)),
    listSessions: async (after, limit) =>
      sessions.all(
        after?.expires_at ?? Number.MAX_SAFE_INTEGER,
        after?.key ?? '',
        epochSeconds(),
        limit,
      ) as unknown as ProtocolRecord[],
    countSessions: async (most) => Number(countSessions.get(epochSeconds(), most)!['count']),
    listByAccount: async (accountKey, kind) =>
      byAccount.all(accountKey, kind, epochSeconds()) as unknown as ProtocolRecord[],
    listInOrder: async (after, limit) => inOrder.all(after, epochSeconds(), limit) as unknown as ProtocolRecord[],
    revokeGrant: async (grantKey, { withGrant }) =>
      durably(() => (withGrant ? revokeAll : revokeDescendants).run(grantKey)),
    revokeBySession: async (sessionKey) => durably(() => revokeBySession.run(sessionKey, sessionKey)),
    // Without a session to keep, the empty key keeps nothing: none is empty.
    revokeByAccount: async (accountKey, { keepUid } = { keepUid: '' }) =>
      durably(() => revokeByAccount.run(accountKey, keepUid, accountKey)),
    async sweep(now, limit) {
      recent.clear();
      return sweep.run(now, limit);
    },
  };
}
