import { expect, test } from 'vitest';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { aConsent } from './samples.ts';

export function consentContract(use: Use): void {
  const consents = () => use().storage.consents;

  test('a consent comes back as it was given', async () => {
    const resources = { 'https://api.shop.example/v1?a=$b': ['read', 'write'], 'urn:gatehouse:api:1': [], $ref: ['x'] };
    const consent = aConsent({ resources, claims: ['birthdate'] });
    await consents().put(consent);
    expect(await consents().find(consent.account_id, consent.client_id)).toEqual(consent);
  });

  test('a consent to one app is none to another, nor anybody else’s', async () => {
    const consent = aConsent();
    await consents().put(consent);
    expect(await consents().find(consent.account_id, 'another app')).toBeUndefined();
    expect(await consents().find('somebody else', consent.client_id)).toBeUndefined();
  });

  test('a newer consent replaces the one before', async () => {
    const consent = aConsent({ resources: { 'urn:a': ['read'] } });
    await consents().put(consent);
    await consents().put({ ...consent, scopes: ['openid'], resources: {} });
    expect(await consents().listByAccount(consent.account_id)).toEqual([
      { ...consent, scopes: ['openid'], resources: {} },
    ]);
  });

  test('a consent whose loss would not matter replaces and adds all the same', async () => {
    const consent = aConsent();
    const later = { ...consent, updated_at: '2026-09-03T04:05:06.000Z' };
    await consents().put(consent);
    await consents().put(later, { durable: false });
    expect(await consents().listByAccount(consent.account_id)).toEqual([later]);
    const other = aConsent();
    await consents().put(other, { durable: false });
    expect(await consents().find(other.account_id, other.client_id)).toEqual(other);
    expect(await consents().delete(other.account_id, other.client_id)).toBe(true);
  });

  test('consents given in 20 tabs at once leave one', async () => {
    const consent = aConsent();
    const { errors } = await atOnce(20, (index) =>
      consents().put({ ...consent, scopes: ['openid', `scope-${index}`] }),
    );
    expect(errors).toEqual([]);
    expect(await consents().listByAccount(consent.account_id)).toHaveLength(1);
  });

  test('a person’s consents are listed, nobody else’s', async () => {
    const [first, second] = [aConsent({ account_id: 'ada' }), aConsent({ account_id: 'ada' })];
    for (const consent of [first, second, aConsent()]) await consents().put(consent);
    const listed = await consents().listByAccount('ada');
    expect(listed).toHaveLength(2);
    expect(listed).toEqual(expect.arrayContaining([first, second]));
    expect(await consents().listByAccount('nobody')).toEqual([]);
  });

  test('the last use of a consent only moves on, and makes no consent where there is none', async () => {
    const consent = aConsent({ resources: { 'urn:a.b': ['read'] } });
    await consents().put(consent);
    const of = [consent.account_id, consent.client_id] as const;
    await consents().noteUse(...of, '2026-02-03T04:05:06.000Z');
    await consents().noteUse(...of, '2026-01-03T04:05:06.000Z');
    await consents().noteUse(consent.account_id, 'another app', '2026-02-03T04:05:06.000Z');
    expect(await consents().listByAccount(consent.account_id)).toEqual([
      { ...consent, last_used_at: '2026-02-03T04:05:06.000Z' },
    ]);
  });

  test('a consent that is withdrawn while it is used is gone', async () => {
    for (let round = 0; round < 100; round += 1) {
      const consent = aConsent();
      const of = [consent.account_id, consent.client_id] as const;
      await consents().put(consent);
      const [gone] = await Promise.all([
        consents().delete(...of),
        consents().noteUse(...of, '2026-02-03T04:05:06.000Z'),
      ]);
      expect(gone).toBe(true);
      expect(await consents().find(...of)).toBeUndefined();
    }
  });

  test('a withdrawn consent is gone; withdrawing it again says there was none', async () => {
    const [consent, other] = [aConsent({ account_id: 'ada' }), aConsent({ account_id: 'ada' })];
    await consents().put(consent);
    await consents().put(other);
    expect(await consents().delete('ada', consent.client_id)).toBe(true);
    expect(await consents().delete('ada', consent.client_id)).toBe(false);
    expect(await consents().listByAccount('ada')).toEqual([other]);
  });

  test('a person or an app that goes takes its consents along and no others', async () => {
    const consent = (account_id: string, client_id: string) => aConsent({ account_id, client_id });
    for (const account of ['ada', 'bob'])
      for (const app of ['shop', 'wiki']) await consents().put(consent(account, app));
    await consents().deleteByAccount('ada');
    expect(await consents().listByAccount('ada')).toEqual([]);
    expect(await consents().listByAccount('bob')).toHaveLength(2);
    await consents().deleteByClient('shop');
    expect(await consents().listByAccount('bob')).toEqual([consent('bob', 'wiki')]);
  });
}
