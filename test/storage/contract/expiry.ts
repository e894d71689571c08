import { expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import { moveClock } from './clock.ts';
import type { Use } from './contract.ts';
import { aRecord } from './samples.ts';

export function expiryContract(use: Use): void {
  const records = () => use().storage.protocol;
  const expiring = () => aRecord({ expires_at: epochSeconds() + 60, uid_key: 'uid', user_code_key: 'user code' });

  test('an expired record is absent for every reader, before anything has swept it', async () => {
    moveClock(0);
    const record = expiring();
    await records().upsert(record);
    moveClock(59);
    expect(await records().find(record.key)).toBeDefined();
    moveClock(1);
    expect(await records().find(record.key)).toBeUndefined();
    expect(await records().findByUid('uid')).toBeUndefined();
    expect(await records().findByUserCode('user code')).toBeUndefined();
  });

  test('an expired code cannot be consumed', async () => {
    moveClock(0);
    const record = expiring();
    await records().upsert(record);
    moveClock(60);
    expect(await records().consume(record.key, epochSeconds())).toBe(false);
  });

  test('a consumed code expires like any other', async () => {
    moveClock(0);
    const record = expiring();
    await records().upsert(record);
    await records().consume(record.key, epochSeconds());
    moveClock(60);
    expect(await records().find(record.key)).toBeUndefined();
  });

  test('a session that is written again lives until its new expiry', async () => {
    const record = expiring();
    await records().upsert(record);
    await records().upsert({ ...record, expires_at: epochSeconds() + 600 });
    moveClock(300);
    expect(await records().findByUid('uid')).toBeDefined();
  });

  test('of two records with one user code the one that has not expired is found', async () => {
    await records().upsert(expiring());
    const fresh = aRecord({ user_code_key: 'user code' });
    await records().upsert(fresh);
    moveClock(60);
    expect(await records().findByUserCode('user code')).toMatchObject({ key: fresh.key });
  });

  test('a record without expiry never expires', async () => {
    const record = aRecord({ expires_at: null });
    await records().upsert(record);
    moveClock(1000 * 365 * 24 * 3600);
    expect(await records().find(record.key)).toBeDefined();
    expect(await records().consume(record.key, 1)).toBe(true);
  });

  test('sweeping removes no more than asked and nothing that is still valid', async () => {
    const valid = [aRecord(), aRecord({ expires_at: null })];
    for (const record of [...valid, ...Array.from({ length: 12 }, expiring)]) await records().upsert(record);
    const swept: number[] = [];
    for (let round = 0; round < 4; round += 1) swept.push(await records().sweep(epochSeconds() + 61, 5));
    // A store that expires by itself leaves it to itself.
    expect([
      [5, 5, 2, 0],
      [0, 0, 0, 0],
    ]).toContainEqual(swept);
    for (const { key } of valid) expect(await records().find(key)).toBeDefined();
  });
}
