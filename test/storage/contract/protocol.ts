import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import type { ProtocolRecord } from '../../../src/protocol/store.ts';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { aRecord } from './samples.ts';

/** Drivers may give a Buffer or a plain Uint8Array. */
export const plain = (record: ProtocolRecord | undefined) =>
  record && { ...record, sealed: Buffer.from(record.sealed) };

const full = () =>
  aRecord({
    grant_key: 'grant',
    uid_key: 'uid',
    user_code_key: 'user code',
    account_key: 'account',
    session_key: 'session',
  });

export function protocolContract(use: Use): void {
  const records = () => use().storage.protocol;

  test('a record comes back whole, by key, by uid and by user code', async () => {
    const record = full();
    await records().upsert(record);
    expect(plain(await records().find(record.key))).toEqual(record);
    expect(plain(await records().findByUid('uid'))).toEqual(record);
    expect(plain(await records().findByUserCode('user code'))).toEqual(record);
  });

  test('what a record does not have comes back as null', async () => {
    const record = aRecord({ expires_at: null });
    await records().upsert(record);
    expect(plain(await records().find(record.key))).toEqual(record);
  });

  test('nothing is found under another key, nor under a key of another sort', async () => {
    const record = full();
    await records().upsert(record);
    expect(await records().find('uid')).toBeUndefined();
    expect(await records().findByUid('user code')).toBeUndefined();
    expect(await records().findByUserCode(record.key)).toBeUndefined();
  });

  test('every byte of a payload is kept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (sealed) => {
        const record = aRecord({ sealed });
        await records().upsert(record);
        expect(plain(await records().find(record.key))!.sealed).toEqual(Buffer.from(sealed));
      }),
      { numRuns: 30 },
    );
  });

  test('a part of a larger buffer is kept as that part', async () => {
    const record = aRecord({ sealed: Buffer.from('0123456789').subarray(3, 6) });
    await records().upsert(record);
    expect(plain(await records().find(record.key))!.sealed.toString()).toBe('345');
  });

  test('a payload of a megabyte is kept', async () => {
    const record = aRecord({ sealed: Buffer.alloc(1_000_000, 7) });
    await records().upsert(record);
    expect(plain(await records().find(record.key))!.sealed.equals(record.sealed)).toBe(true);
  });

  test('writing again replaces everything but the key', async () => {
    const record = full();
    await records().upsert(record);
    const next = { ...aRecord({ expires_at: epochSeconds() + 9999, uid_key: 'new uid' }), key: record.key };
    await records().upsert(next);
    expect(plain(await records().find(record.key))).toEqual(next);
    expect(await records().findByUid('uid')).toBeUndefined();
    expect(await records().findByUserCode('user code')).toBeUndefined();
    expect(plain(await records().findByUid('new uid'))).toEqual(next);
  });

  test('a session that 20 requests write at once is kept once, and no request fails', async () => {
    const record = aRecord({ kind: 'Session', uid_key: 'uid' });
    const { errors } = await atOnce(20, () => records().upsert(record));
    expect(errors).toEqual([]);
    expect(plain(await records().findByUid('uid'))).toEqual(record);
  });

  test('a destroyed record is gone, others stay; destroying what is not there is fine', async () => {
    const [record, other] = [aRecord({ uid_key: 'uid' }), aRecord()];
    await records().upsert(record);
    await records().upsert(other);
    await records().destroy(record.key, { durable: true });
    await records().destroy(record.key, { durable: true });
    expect(await records().find(record.key)).toBeUndefined();
    expect(await records().findByUid('uid')).toBeUndefined();
    expect(await records().find(other.key)).toBeDefined();
  });

  test('sessions of people are listed by when they end, the last first, page by page; others and ended ones are not', async () => {
    const now = epochSeconds();
    const session = (key: string, expires_at: number, given: object = {}) =>
      aRecord({ key, kind: 'Session', account_key: 'ada', uid_key: `uid ${key}`, expires_at, ...given });
    const kept = [session('a', now + 100), session('b', now + 300), session('c', now + 300), session('d', now + 200)];
    const others = [
      session('nobody', now + 250, { account_key: null }),
      session('over', now - 10),
      aRecord({ key: 'grant', kind: 'Grant', account_key: 'ada', expires_at: now + 250 }),
    ];
    for (const one of [...kept, ...others]) await records().upsert(one);
    const first = await records().listSessions(undefined, 2);
    const [, last] = first;
    const rest = await records().listSessions({ expires_at: last!.expires_at!, key: last!.key }, 10);
    expect([...first, ...rest].map(({ key }) => key)).toEqual(['c', 'b', 'd', 'a']);
    expect(await records().countSessions(10)).toBe(4);
    expect(await records().countSessions(3)).toBe(3);
  });
}
