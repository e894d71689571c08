import { expect, test } from 'vitest';
import { winners } from './at-once.ts';
import type { Use } from './contract.ts';
import { someFactors } from './samples.ts';

export function factorContract(use: Use): void {
  const factors = () => use().storage.factors;

  test('factors come back as they were given, with their version counted up', async () => {
    const full = someFactors();
    const bare = someFactors({ totp: null, recovery_codes: null, devices: [], asked_at: null });
    for (const one of [full, bare]) {
      expect(await factors().put(one)).toBe(true);
      expect(await factors().find(one.account_id)).toEqual({ ...one, version: 1 });
    }
    expect(await factors().find('nobody')).toBeUndefined();
  });

  test('each change counts the version up; whoever saw an older one changes nothing', async () => {
    const one = someFactors();
    const { account_id } = one;
    await factors().put(one);
    expect(await factors().put({ ...one, version: 1, totp: null })).toBe(true);
    expect(await factors().put({ ...one, version: 1, recovery_codes: null })).toBe(false);
    expect(await factors().put(one)).toBe(false);
    expect(await factors().find(account_id)).toEqual({ ...one, totp: null, version: 2 });
    expect(await factors().put({ ...one, version: 2 }, { durable: false })).toBe(true);
    expect(await factors().find(account_id)).toEqual({ ...one, version: 3 });
  });

  test('of 50 that make the first record at once one does, and of 50 that change it one does', async () => {
    const one = someFactors();
    expect(await winners(50, () => factors().put(one))).toBe(1);
    expect(await winners(50, (index) => factors().put({ ...one, version: 1, asked_at: `turn ${index}` }))).toBe(1);
    const durable = (index: number) => ({ durable: index % 2 === 0 });
    expect(await winners(50, (index) => factors().put({ ...one, version: 2 }, durable(index)))).toBe(1);
    expect(await factors().find(one.account_id)).toMatchObject({ version: 3 });
  });

  test('what is removed is gone, and is not brought back by whoever saw it', async () => {
    const [one, other] = [someFactors(), someFactors()];
    for (const each of [one, other]) await factors().put(each);
    expect(await factors().delete(one.account_id)).toBe(true);
    expect(await factors().delete(one.account_id)).toBe(false);
    expect(await factors().put({ ...one, version: 1 })).toBe(false);
    expect(await factors().find(one.account_id)).toBeUndefined();
    expect(await factors().find(other.account_id)).toMatchObject({ version: 1 });
  });
}
