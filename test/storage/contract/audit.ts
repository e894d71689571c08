import { expect, test } from 'vitest';
import type { Appended, Mark, StoredRecord } from '../../../src/audit/store.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { atOnce } from './at-once.ts';
import type { Driver, Use } from './contract.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const markOf = ({ seq, mac, at: when }: StoredRecord): Mark => ({ seq, mac, at: when, signature: `of ${seq}` });

function aRecord(seq: number, overrides: Partial<StoredRecord> = {}, subjects: string[] = []): Appended {
  const id = newId();
  const record = {
    seq,
    id,
    at: at(seq),
    type: 'sign_in',
    actor: null,
    target: null,
    document: `{"seq":${seq},"text":"${id} ' \\" é 🙂"}`,
    mac: `mac ${id}`,
    adopted: null,
    reference: null,
    ...overrides,
  };
  return { record, parts: subjects.map((subject) => ({ record_id: id, subject, document: `{"of":"${subject}"}` })) };
}

export function auditContract(use: Use, { shared }: Driver): void {
  const sharedTest = shared ? test : () => undefined;
  const records = () => use().storage.audit;
  const all = async () => (await records().range(1, 500)).map(({ seq }) => seq);

  test('records come back as they were written, and the last one is the head', async () => {
    const written = [aRecord(1), aRecord(2, { actor: 'sub_a', target: 'app_1', adopted: 'old' })];
    expect(await records().end()).toBeUndefined();
    expect(await records().append(written, markOf)).toBe(2);
    expect(await records().range(1, 10)).toEqual(written.map(({ record }) => record));
    expect(await records().head()).toEqual(markOf(written[1]!.record));
    expect(await records().end()).toMatchObject({ seq: 2, mac: written[1]!.record.mac });
    expect(await records().adopted(['old', 'other'])).toEqual(['old']);
  });

  test('of 10 that follow the same record at once one is appended, and the chain has no gap', async () => {
    await records().append([aRecord(1)], markOf);
    const { values } = await atOnce(10, () => records().append([aRecord(2, {}, ['sub_a']), aRecord(3)], markOf));
    expect(values.filter((count) => count === 2)).toHaveLength(1);
    expect(await all()).toEqual([1, 2, 3]);
    const stored = await records().range(2, 1);
    expect(await records().partsOf([stored[0]!.id])).toHaveLength(1);
  });

  sharedTest('two processes that append at once make one chain', async () => {
    const other = await use().reopen();
    const write = async (store: typeof other, count: number) => {
      for (let left = count; left > 0;) {
        const end = (await store.audit.end())?.seq ?? 0;
        left -= await store.audit.append([aRecord(end + 1)], markOf);
      }
    };
    await Promise.all([write(use().storage, 15), write(other, 15)]);
    expect(await all()).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(await records().head()).toMatchObject({ seq: 30 });
    await other.close();
  });

  test('are found newest first by kind, by who, to whom and by time', async () => {
    const written = [
      aRecord(1, { type: 'sign_in', actor: 'sub_a', target: 'sub_a' }),
      aRecord(2, { type: 'suspended', actor: 'sub_b', target: 'sub_a' }),
      aRecord(3, { type: 'suspended', actor: 'sub_b', target: 'sub_c', reference: 'K7QW-2M9X' }),
    ];
    await records().append(written, markOf);
    const found = async (filter: object) => (await records().list(filter, 10)).map(({ seq }) => seq);
    expect(await found({})).toEqual([3, 2, 1]);
    expect(await found({ before: 3 })).toEqual([2, 1]);
    expect(await found({ type: 'suspended' })).toEqual([3, 2]);
    expect(await found({ actor: 'sub_b', target: 'sub_a' })).toEqual([2]);
    expect(await found({ reference: 'K7QW-2M9X' })).toEqual([3]);
    expect(await found({ from: at(2), to: at(3) })).toEqual([2]);
    expect((await records().list({}, 2)).map(({ seq }) => seq)).toEqual([3, 2]);
  });

  test('an account has one pseudonym, whoever asks first', async () => {
    const { values } = await atOnce(10, () => records().subjectOf('ada', newId('sub_')));
    expect(new Set(values).size).toBe(1);
    expect(await records().findSubject('ada')).toBe(values[0]);
    expect(await records().findSubject('bob')).toBeUndefined();
    expect(await records().accountsOf([values[0]!, 'sub_nobody'])).toEqual(new Map([[values[0], 'ada']]));
  });

  test('what is said of a person can be forgotten, and nothing else with it', async () => {
    const subject = await records().subjectOf('ada', 'sub_ada');
    const written = [aRecord(1, {}, [subject, 'sub_bob']), aRecord(2, {}, [subject])];
    await records().append(written, markOf);
    await records().forget('ada', subject);
    const ids = written.map(({ record }) => record.id);
    expect((await records().partsOf(ids)).map((part) => part.subject)).toEqual(['sub_bob']);
    expect(await records().findSubject('ada')).toBeUndefined();
    expect(await all()).toEqual([1, 2]);
  });

  test('old records are removed up to a number, as many as asked for, and the mark of the cut stays', async () => {
    const written = [1, 2, 3, 4].map((seq) => aRecord(seq, {}, ['sub_a']));
    await records().append(written, markOf);
    const last = await records().lastBefore(at(4));
    expect(last).toEqual(written[2]!.record);
    expect(await records().lastBefore(at(1))).toBeUndefined();
    expect(await records().lastBefore(at(9))).toEqual(written[3]!.record);
    await records().setCut(markOf(last!));
    expect(await records().removeUpTo(3, 2)).toBe(2);
    expect(await records().removeUpTo(3, 2)).toBe(1);
    expect(await all()).toEqual([4]);
    expect(await records().partsOf(written.map(({ record }) => record.id))).toHaveLength(1);
    expect(await records().cut()).toEqual(markOf(last!));
  });
}
