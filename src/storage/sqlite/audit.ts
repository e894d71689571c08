import type {
  Appended,
  AuditStore,
  Mark,
  OldEvent,
  PersonalPart,
  RecordFilter,
  StoredRecord,
} from '../../audit/store.ts';
import type { Connection } from './connect.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Reader } from './reader.ts';

const COLUMNS = 'seq, id, at, type, actor, target, document, mac, adopted, reference';

/** Records are numbered nearly in the order of their times: clocks of several processes may differ by so much. */
const CLOCKS_DIFFER_MS = 600_000;

const shifted = (at: string, ms: number): string => {
  const time = Date.parse(at) + ms;
  return Number.isNaN(time) ? at : new Date(time).toISOString();
};

/** @param numbers between which the times lie, so that a scan by another index ends there. @returns the condition and its values, in order. */
function conditionsOf(
  { before, type, actor, target, reference, from, to }: RecordFilter,
  numbers: { first: number | undefined; last: number | undefined },
): {
  sql: string;
  values: (string | number)[];
} {
  const conditions: [string, string | number | undefined][] = [
    ['seq < ?', before],
    ['seq >= ?', numbers.first],
    ['seq <= ?', numbers.last],
    ['type = ?', type],
    ['actor = ?', actor],
    ['target = ?', target],
    ['reference = ?', reference],
    ['+at >= ?', from],
    ['+at < ?', to],
  ];
  const given = conditions.filter((one): one is [string, string | number] => one[1] !== undefined);
  return {
    sql: given.length === 0 ? '' : `WHERE ${given.map(([condition]) => condition).join(' AND ')}`,
    values: given.map(([, value]) => value),
  };
}

/**
 * @param everyday appends, with the writes beside it (`group`). @param durable forgets: what was forgotten must stay so.
 * @param reader searches.
 */
export function auditStore(
  { everyday, durable, reader }: { everyday: Connection; durable: Connection; reader: Reader },
  group: GroupCommit,
): AuditStore {
  const addSubject = everyday.prepare(
    'INSERT INTO audit_subjects (account_id, subject) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const subject = everyday.prepare('SELECT subject FROM audit_subjects WHERE account_id = ?');
  const account = everyday.prepare('SELECT account_id FROM audit_subjects WHERE subject = ?');
  const mark = everyday.prepare('SELECT seq, mac, at, signature FROM audit_marks WHERE name = ?');
  const setMarkSql = `INSERT INTO audit_marks (name, seq, mac, at, signature) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name)
    DO UPDATE SET seq = excluded.seq, mac = excluded.mac, at = excluded.at, signature = excluded.signature`;
  const setMark = everyday.prepare(setMarkSql);
  const setMarkDurably = durable.prepare(setMarkSql);
  const insert = everyday.prepare(`INSERT INTO audit_records (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const insertPart = everyday.prepare('INSERT INTO audit_personal (record_id, subject, document) VALUES (?, ?, ?)');
  const range = reader.prepare(`SELECT ${COLUMNS} FROM audit_records WHERE seq >= ? ORDER BY seq LIMIT ?`);
  const times = reader.prepare('SELECT at FROM audit_records WHERE type = ? ORDER BY seq DESC LIMIT ?');
  const parts = everyday.prepare('SELECT record_id, subject, document FROM audit_personal WHERE record_id = ?');
  const forgetParts = durable.prepare('DELETE FROM audit_personal WHERE subject = ?');
  const forgetSubject = durable.prepare('DELETE FROM audit_subjects WHERE account_id = ?');
  const earliest = reader.prepare('SELECT seq FROM audit_records WHERE at >= ? ORDER BY at LIMIT 1');
  const latest = reader.prepare('SELECT seq FROM audit_records WHERE at < ? ORDER BY at DESC LIMIT 1');
  // From the oldest on: it passes over those only that are to be removed.
  const firstFrom = everyday.prepare('SELECT seq FROM audit_records WHERE +at >= ? ORDER BY seq LIMIT 1');
  const lastUpTo = everyday.prepare(`SELECT ${COLUMNS} FROM audit_records WHERE seq < ? ORDER BY seq DESC LIMIT 1`);
  const removeParts = everyday.prepare(
    'DELETE FROM audit_personal WHERE record_id IN (SELECT id FROM audit_records WHERE seq <= ? ORDER BY seq LIMIT ?)',
  );
  const removeRecords = everyday.prepare(
    'DELETE FROM audit_records WHERE seq IN (SELECT seq FROM audit_records WHERE seq <= ? ORDER BY seq LIMIT ?)',
  );
  const old = everyday.prepare('SELECT document FROM audit_events ORDER BY created_at, id LIMIT ?');
  const isAdopted = everyday.prepare('SELECT 1 FROM audit_records WHERE adopted = ?');
  const removeOld = everyday.prepare('DELETE FROM audit_events WHERE id = ?');

  const asRecords = (rows: unknown[]) => rows as StoredRecord[];
  const marked = (name: string) => mark.get(name) as Mark | undefined;
  const markValues = (name: string, { seq, mac, at, signature }: Mark) => [name, seq, mac, at, signature] as const;

  const seqOf = (row: Record<string, unknown> | undefined) => (row?.['seq'] ?? undefined) as number | undefined;

  const NONE = Number.MAX_SAFE_INTEGER;
  const numbersOf = async ({ from, to }: RecordFilter) => ({
    first: from === undefined ? undefined : (seqOf((await earliest(shifted(from, -CLOCKS_DIFFER_MS)))[0]) ?? NONE),
    last: to === undefined ? undefined : (seqOf((await latest(shifted(to, CLOCKS_DIFFER_MS)))[0]) ?? 0),
  });

  function append(records: Appended[], markOf: (record: StoredRecord) => Mark): number {
    const head = marked('head') ?? marked('cut');
    const [first, last] = [records[0]!.record, records.at(-1)!.record];
    if ((head?.seq ?? 0) !== first.seq - 1) return 0;
    for (const { record, parts: said } of records) {
      const { seq, id, at, type, actor, target, document, mac, adopted, reference } = record;
      insert.run(seq, id, at, type, actor, target, document, mac, adopted, reference);
      for (const part of said) insertPart.run(part.record_id, part.subject, part.document);
    }
    setMark.run(...markValues('head', markOf(last)));
    return records.length;
  }

  return {
    subjectOf: (accountId, fresh) =>
      group.write(() => {
        addSubject.run(accountId, fresh);
        return subject.get(accountId)!['subject'] as string;
      }),
    findSubject: async (accountId) => subject.get(accountId)?.['subject'] as string | undefined,
    async accountsOf(subjects) {
      const found = subjects.flatMap((one) => {
        const id = account.get(one)?.['account_id'];
        return typeof id === 'string' ? [[one, id] as const] : [];
      });
      return new Map(found);
    },
    head: async () => marked('head'),
    end: async () => marked('head'),
    append: (records, markOf) => group.writeWhole(() => append(records, markOf)),
    async list(filter, limit) {
      const { sql, values } = conditionsOf(filter, await numbersOf(filter));
      const find = reader.prepare(`SELECT ${COLUMNS} FROM audit_records ${sql} ORDER BY seq DESC LIMIT ?`);
      return asRecords(await find(...values, limit));
    },
    timesOf: async (type, limit) => (await times(type, limit)).map(({ at }) => at as string),
    range: async (from, limit) => asRecords(await range(from, limit)),
    partsOf: async (ids) => ids.flatMap((id) => parts.all(id) as unknown as PersonalPart[]),
    async forget(accountId, whose) {
      group.flush();
      forgetParts.run(whose);
      forgetSubject.run(accountId);
    },
    async lastBefore(at) {
      return lastUpTo.get(seqOf(firstFrom.get(at)) ?? NONE) as unknown as StoredRecord | undefined;
    },
    cut: async () => marked('cut'),
    async setCut(cut) {
      group.flush();
      setMarkDurably.run(...markValues('cut', cut));
    },
    removeUpTo: (seq, limit) =>
      group.writeWhole(() => {
        removeParts.run(seq, limit);
        return removeRecords.run(seq, limit);
      }),
    listOld: async (limit) => old.all(limit).map(({ document }) => JSON.parse(document as string) as OldEvent),
    adopted: async (ids) => ids.filter((id) => isAdopted.get(id) !== undefined),
    removeOld: (ids) =>
      group.write(() => {
        for (const id of ids) removeOld.run(id);
      }),
  };
}
