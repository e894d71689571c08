import { describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import { winners } from './at-once.ts';
import { moveClock } from './clock.ts';
import type { Driver, Use } from './contract.ts';
import { plain } from './protocol.ts';
import { aRecord } from './samples.ts';

export function singleUseContract(use: Use, { shared }: Driver): void {
  const sharedTest = shared ? test : () => undefined;
  const records = () => use().storage.protocol;

  describe('consume', () => {
    test('of 100 callers that consume one code at once exactly one wins', async () => {
      const code = aRecord();
      await records().upsert(code);
      expect(await winners(100, () => records().consume(code.key, epochSeconds()))).toBe(1);
      expect(await records().consume(code.key, epochSeconds())).toBe(false);
    });

    sharedTest('of callers in two processes exactly one wins', async () => {
      const other = await use().reopen();
      const code = aRecord();
      await records().upsert(code);
      const stores = [records(), other.protocol];
      expect(await winners(50, (index) => stores[index % 2]!.consume(code.key, epochSeconds()))).toBe(1);
      await other.close();
    });

    test('keeps the record and its expiry, so that its reuse can be told from an unknown code', async () => {
      const code = aRecord();
      await records().upsert(code);
      expect(await records().consume(code.key, 1_700_000_000)).toBe(true);
      expect(plain(await records().find(code.key))).toEqual({ ...code, consumed_at: 1_700_000_000 });
    });

    test('of a code that never was gives false', async () => {
      expect(await records().consume('unknown', epochSeconds())).toBe(false);
    });

    test('of a code that was destroyed gives false and brings nothing back', async () => {
      const code = aRecord();
      await records().upsert(code);
      await records().destroy(code.key, { durable: true });
      expect(await records().consume(code.key, epochSeconds())).toBe(false);
      expect(await records().find(code.key)).toBeUndefined();
    });

    test('is not undone by writing the record again', async () => {
      const code = aRecord();
      await records().upsert(code);
      await records().consume(code.key, 1_700_000_000);
      const rewritten = aRecord({ key: code.key, consumed_at: null });
      await records().upsert(rewritten);
      expect(plain(await records().find(code.key))).toEqual({ ...rewritten, consumed_at: 1_700_000_000 });
      await records().upsert({ ...rewritten, consumed_at: 1_700_000_999 });
      expect(await records().find(code.key)).toMatchObject({ consumed_at: 1_700_000_000 });
      expect(await records().consume(code.key, epochSeconds())).toBe(false);
    });

    test('is not undone by 30 writers at the same moment', async () => {
      const code = aRecord();
      await records().upsert(code);
      const writers = Array.from({ length: 30 }, () => records().upsert(code));
      expect(await records().consume(code.key, 1_700_000_000)).toBe(true);
      await Promise.all(writers);
      expect(await records().find(code.key)).toMatchObject({ consumed_at: 1_700_000_000 });
    });

    test('also happens by writing the record as consumed', async () => {
      const code = aRecord();
      await records().upsert(code);
      await records().upsert({ ...code, consumed_at: 1_700_000_000 });
      expect(await records().find(code.key)).toMatchObject({ consumed_at: 1_700_000_000 });
      expect(await records().consume(code.key, epochSeconds())).toBe(false);
    });
  });

  describe('insertIfAbsent', () => {
    test('adds what is absent', async () => {
      const record = aRecord({ uid_key: 'uid', grant_key: 'grant' });
      expect(await records().insertIfAbsent(record)).toBe(true);
      expect(plain(await records().findByUid('uid'))).toEqual(record);
    });

    test('of 50 callers at once exactly one adds, and what it added stays', async () => {
      const { key } = aRecord();
      let kept: Buffer | undefined;
      const insert = async () => {
        const record = aRecord({ key });
        const won = await records().insertIfAbsent(record);
        if (won) kept = Buffer.from(record.sealed);
        return won;
      };
      expect(await winners(50, insert)).toBe(1);
      expect(plain(await records().find(key))!.sealed).toEqual(kept);
    });

    test('a successor that was used already is not revived', async () => {
      const record = aRecord();
      await records().insertIfAbsent(record);
      await records().consume(record.key, 1_700_000_000);
      expect(await records().insertIfAbsent(aRecord({ key: record.key }))).toBe(false);
      expect(plain(await records().find(record.key))).toEqual({ ...record, consumed_at: 1_700_000_000 });
    });

    test('a record that never expires holds its key for ever', async () => {
      const record = aRecord({ expires_at: null });
      await records().upsert(record);
      moveClock(1000 * 365 * 24 * 3600);
      expect(await records().insertIfAbsent(aRecord({ key: record.key }))).toBe(false);
    });

    test('an expired holder is replaced in every part', async () => {
      const old = aRecord({ uid_key: 'old', grant_key: 'old grant', account_key: 'a', consumed_at: 1 });
      await records().upsert(old);
      moveClock(3600);
      const next = aRecord({ key: old.key, kind: 'RefreshToken', grant_key: 'new grant', user_code_key: 'code' });
      expect(await records().insertIfAbsent(next)).toBe(true);
      expect(plain(await records().find(old.key))).toEqual(next);
      await records().revokeGrant('old grant', { withGrant: true });
      expect(plain(await records().findByUserCode('code'))).toEqual(next);
      await records().revokeGrant('new grant', { withGrant: true });
      expect(await records().find(old.key)).toBeUndefined();
    });

    test('of 50 callers at once exactly one replaces an expired holder', async () => {
      const { key } = aRecord();
      await records().upsert(aRecord({ key }));
      moveClock(3600);
      expect(await winners(50, () => records().insertIfAbsent(aRecord({ key })))).toBe(1);
    });
  });

  describe('swap', () => {
    test('puts a record in the place of one whose payload is as it was seen', async () => {
      const seen = aRecord({ uid_key: 'u' });
      await records().upsert(seen);
      const next = aRecord({ key: seen.key, account_key: 'a', expires_at: epochSeconds() + 99 });
      expect(await records().swap(next, seen.sealed)).toBe(true);
      expect(plain(await records().find(seen.key))).toEqual(plain(next));
      expect(await records().swap(aRecord({ key: seen.key }), seen.sealed)).toBe(false);
      expect(plain(await records().find(seen.key))).toEqual(plain(next));
    });

    test('of 50 callers that saw the same payload exactly one wins', async () => {
      const seen = aRecord();
      await records().upsert(seen);
      expect(await winners(50, () => records().swap(aRecord({ key: seen.key }), seen.sealed))).toBe(1);
    });

    test('neither brings back what is gone or expired, nor undoes a use', async () => {
      const [gone, expired, used] = [aRecord(), aRecord({ expires_at: epochSeconds() - 1 }), aRecord()];
      await records().upsert(expired);
      await records().upsert(used);
      await records().consume(used.key, 1_700_000_000);
      expect(await records().swap(gone, gone.sealed)).toBe(false);
      expect(await records().swap({ ...expired, expires_at: null }, expired.sealed)).toBe(false);
      expect(await records().swap(aRecord({ key: used.key }), used.sealed)).toBe(true);
      expect(await records().find(gone.key)).toBeUndefined();
      expect(await records().find(expired.key)).toBeUndefined();
      expect(await records().find(used.key)).toMatchObject({ consumed_at: 1_700_000_000 });
    });
  });

  describe('move', () => {
    test('puts a record in the place of another, which is gone then', async () => {
      const [from, to] = [aRecord({ kind: 'Session', uid_key: 'u' }), aRecord({ kind: 'Session', uid_key: 'u' })];
      await records().upsert(from);
      expect(await records().move(from.key, to)).toBe(true);
      expect(await records().find(from.key)).toBeUndefined();
      expect(plain(await records().find(to.key))).toEqual(plain(to));
    });

    test('replaces a record in its own place', async () => {
      const record = aRecord();
      await records().upsert(record);
      const newer = { ...record, sealed: new Uint8Array([9, 9, 9]) };
      expect(await records().move(record.key, newer)).toBe(true);
      expect(plain(await records().find(record.key))).toEqual(plain(newer));
    });

    test('never brings back what is gone or expired', async () => {
      const [gone, expired] = [aRecord(), aRecord({ expires_at: epochSeconds() - 1 })];
      await records().upsert(expired);
      for (const record of [gone, expired]) {
        expect(await records().move(record.key, aRecord())).toBe(false);
        expect(await records().move(record.key, { ...record, expires_at: null })).toBe(false);
        expect(await records().find(record.key)).toBeUndefined();
      }
    });

    test('of callers at once that move one record to places of their own exactly one wins', async () => {
      const from = aRecord();
      await records().upsert(from);
      expect(await winners(20, () => records().move(from.key, aRecord()))).toBe(1);
    });
  });
}
