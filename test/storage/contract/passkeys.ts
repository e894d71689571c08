import { expect, test } from 'vitest';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { aPasskey } from './samples.ts';

export function passkeyContract(use: Use): void {
  const passkeys = () => use().storage.passkeys;
  const USED = '2026-02-02T00:00:00.000Z';
  const useOf = (counter: number) => ({ counter, backed_up: false, last_used_at: USED });

  test('a passkey comes back as it was given', async () => {
    const one = aPasskey({ transports: [], synced: false, backed_up: false, last_used_at: USED });
    const other = aPasskey({ name: 'Ädas “phone” 📱', counter: 4_294_967_295 });
    for (const passkey of [one, other]) await passkeys().insert(passkey);
    expect(await passkeys().find(one.credential_id)).toEqual(one);
    expect(await passkeys().find(other.credential_id)).toEqual(other);
    expect(await passkeys().find('unknown')).toBeUndefined();
  });

  test('of 50 that register one credential at once one gets it, and nothing of the others stays', async () => {
    const { credential_id } = aPasskey();
    const { values, errors } = await atOnce(50, (index) =>
      passkeys().insert(aPasskey({ credential_id, account_id: `usr_${index}` })),
    );
    expect(values).toHaveLength(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'duplicate' });
    const { account_id } = (await passkeys().find(credential_id))!;
    for (let index = 0; index < 50; index += 1)
      expect(await passkeys().listByAccount(`usr_${index}`)).toHaveLength(account_id === `usr_${index}` ? 1 : 0);
  });

  test('credential ids differ by case', async () => {
    const one = aPasskey({ credential_id: 'abcDEF' });
    await passkeys().insert(one);
    await passkeys().insert(aPasskey({ credential_id: 'ABCdef' }));
    expect(await passkeys().find('abcDEF')).toEqual(one);
  });

  test('those of a person are listed, oldest first, nobody else’s', async () => {
    const newer = aPasskey({ account_id: 'ada', created_at: '2026-03-03T00:00:00.000Z' });
    const older = aPasskey({ account_id: 'ada' });
    for (const one of [newer, older, aPasskey()]) await passkeys().insert(one);
    expect(await passkeys().listByAccount('ada')).toEqual([older, newer]);
    expect(await passkeys().listByAccount('nobody')).toEqual([]);
  });

  test('a use is noted while the counter goes forward, and while it stays 0', async () => {
    const [counts, synced] = [aPasskey({ counter: 7 }), aPasskey({ counter: 0 })];
    for (const one of [counts, synced]) await passkeys().insert(one);
    expect(await passkeys().noteUse(counts.credential_id, useOf(8))).toBe(true);
    expect(await passkeys().find(counts.credential_id)).toEqual({ ...counts, ...useOf(8) });
    for (const back of [8, 7, 0]) expect(await passkeys().noteUse(counts.credential_id, useOf(back))).toBe(false);
    expect(await passkeys().find(counts.credential_id)).toMatchObject({ counter: 8 });
    for (let time = 0; time < 2; time += 1) expect(await passkeys().noteUse(synced.credential_id, useOf(0))).toBe(true);
    expect(await passkeys().find(synced.credential_id)).toEqual({ ...synced, ...useOf(0) });
    expect(await passkeys().noteUse('unknown', useOf(1))).toBe(false);
  });

  test('of 50 uses at once with the same counter one is noted', async () => {
    const passkey = aPasskey({ counter: 7 });
    await passkeys().insert(passkey);
    const { values } = await atOnce(50, () => passkeys().noteUse(passkey.credential_id, useOf(8)));
    expect(values.filter(Boolean)).toHaveLength(1);
  });

  test('one is renamed and removed by its own account, and by no other', async () => {
    const passkey = aPasskey({ account_id: 'ada' });
    await passkeys().insert(passkey);
    expect(await passkeys().rename(passkey.credential_id, 'bob', 'mine')).toBe(false);
    expect(await passkeys().rename(passkey.credential_id, 'ada', 'Phone')).toBe(true);
    expect(await passkeys().rename(passkey.credential_id, 'ada', 'Phone')).toBe(true);
    expect(await passkeys().find(passkey.credential_id)).toEqual({ ...passkey, name: 'Phone' });
    expect(await passkeys().delete(passkey.credential_id, 'bob')).toBe(false);
    expect(await passkeys().delete(passkey.credential_id, 'ada')).toBe(true);
    expect(await passkeys().delete(passkey.credential_id, 'ada')).toBe(false);
    expect(await passkeys().find(passkey.credential_id)).toBeUndefined();
  });

  test('a person who goes takes theirs along', async () => {
    const [mine, too, other] = [aPasskey({ account_id: 'ada' }), aPasskey({ account_id: 'ada' }), aPasskey()];
    for (const one of [mine, too, other]) await passkeys().insert(one);
    await passkeys().deleteByAccount('ada');
    expect(await passkeys().listByAccount('ada')).toEqual([]);
    expect(await passkeys().find(other.credential_id)).toEqual(other);
  });
}
