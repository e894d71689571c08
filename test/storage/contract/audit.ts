import { expect, test } from 'vitest';
import type { Use } from './contract.ts';
import { anEvent } from './samples.ts';

export function auditContract(use: Use): void {
  const events = () => use().storage.audit;
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

  test('the events of an account come newest first, page by page, and nobody else’s', async () => {
    const own = [1, 2, 2, 3, 4].map((second) => anEvent({ account_id: 'ada', created_at: at(second) }));
    for (const event of [...own, anEvent({ account_id: 'bob' })]) await events().append(event);
    const expected = own.toSorted((a, b) => (a.created_at + a.id < b.created_at + b.id ? 1 : -1));
    const first = await events().listByAccount('ada', { limit: 2 });
    const second = await events().listByAccount('ada', { limit: 2, after: first.next });
    const third = await events().listByAccount('ada', { limit: 2, after: second.next });
    expect([...first.items, ...second.items, ...third.items]).toEqual(expected);
    expect(third.next).toBeUndefined();
  });

  test('an erased account’s events stay, under a pseudonym and with nothing that tells whose they were', async () => {
    const [event, other] = [anEvent({ account_id: 'ada' }), anEvent({ account_id: 'bob' })];
    await events().append(event);
    await events().append(other);
    await events().pseudonymize('ada', 'erased_1');
    expect((await events().listByAccount('ada', {})).items).toEqual([]);
    expect((await events().listByAccount('erased_1', {})).items).toEqual([
      { ...event, account_id: 'erased_1', network: null, device: null, detail: {} },
    ]);
    expect((await events().listByAccount('bob', {})).items).toEqual([other]);
  });

  test('old events are removed, as many as asked for', async () => {
    for (const second of [1, 2, 3, 10]) await events().append(anEvent({ account_id: 'ada', created_at: at(second) }));
    expect(await events().purge(at(10), 2)).toBe(2);
    expect(await events().purge(at(10), 2)).toBe(1);
    expect((await events().listByAccount('ada', {})).items).toHaveLength(1);
  });
}
