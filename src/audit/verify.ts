/** Whether the record is whole: nothing altered, inserted, left out, put elsewhere or cut off. */
import { BEGINNING, commitmentTo, isGenuine, isLinked } from './chain.ts';
import type { Signer } from './chain.ts';
import { isAsFiled, readDocument } from './document.ts';
import type { AuditStore, StoredRecord } from './store.ts';

export interface Problem {
  /** The record, or the place, where it shows. */
  seq: number;
  problem: string;
}

export interface Verdict {
  ok: boolean;
  /** How many records were looked at. */
  checked: number;
  first: number | null;
  last: { seq: number; mac: string } | null;
  problems: Problem[];
}

/** The head of the chain as the log had it. */
export interface Witness {
  seq: number;
  mac: string;
}

const BATCH = 500;
const MOST_PROBLEMS = 100;
const ERASED = 'erased';

type Store = Pick<AuditStore, 'head' | 'cut' | 'range' | 'partsOf'>;

/** Reads everything, in pages. @param witnesses heads that the log holds: of before a cut they can tell nothing. */
export async function verifyChain(store: Store, signer: Signer, witnesses: Witness[] = []): Promise<Verdict> {
  const problems: Problem[] = [];
  const report = (seq: number, problem: string) => {
    if (problems.length < MOST_PROBLEMS) problems.push({ seq, problem });
  };
  const [head, cut] = [await store.head(), await store.cut()];
  if (head && !isGenuine(signer, 'head', head)) report(head.seq, 'the mark of the head is not genuine');
  if (cut && !isGenuine(signer, 'cut', cut)) report(cut.seq, 'the mark of the cut is not genuine');

  const erased = new Set<string>();
  const absent: { seq: number; subject: string }[] = [];
  let last: { seq: number; mac: string } = cut ?? BEGINNING;
  const first = last.seq + 1;
  let checked = 0;

  function checkLink(record: StoredRecord): void {
    if (record.seq !== last.seq + 1)
      report(last.seq + 1, `${record.seq - last.seq - 1} records are missing before ${record.seq}`);
    else if (!isLinked(signer, last.mac, record))
      report(record.seq, 'the record was altered, or put in another’s place');
    for (const { seq, mac } of witnesses)
      if (seq === record.seq && mac !== record.mac) report(seq, 'the log had another record here');
  }

  async function checkContents(records: StoredRecord[]): Promise<void> {
    const parts = await store.partsOf(records.map(({ id }) => id));
    for (const record of records) {
      const document = readDocument(record.document);
      if (!isAsFiled(record, document)) report(record.seq, 'the record is filed under what it does not say');
      if (document.type === ERASED && document.target.id !== null) erased.add(document.target.id);
      for (const { subject, commitment } of document.personal) {
        const part = parts.find((one) => one.record_id === record.id && one.subject === subject);
        if (!part) absent.push({ seq: record.seq, subject });
        else if (commitmentTo(part.document) !== commitment) report(record.seq, 'what it says of a person was altered');
      }
    }
  }

  for (;;) {
    const records = await store.range(last.seq + 1, BATCH);
    for (const record of records) {
      checkLink(record);
      last = record;
      checked += 1;
    }
    await checkContents(records);
    if (records.length < BATCH) break;
  }
  // Only of whoever was erased may that be gone.
  for (const { seq, subject } of absent) if (!erased.has(subject)) report(seq, 'what it says of a person is missing');
  if (head && last.seq < head.seq) report(last.seq + 1, `the chain ends at ${last.seq}, its head was at ${head.seq}`);
  for (const { seq } of witnesses)
    if (seq > last.seq) report(seq, `the chain ends at ${last.seq}, the log had its head at ${seq}`);
  if (!head && checked > 0) report(last.seq, 'the mark of the head is missing');
  return {
    ok: problems.length === 0,
    checked,
    first: checked > 0 ? first : null,
    last: checked > 0 ? { seq: last.seq, mac: last.mac } : null,
    problems,
  };
}
