import { expect, test } from 'vitest';
import type { InitialToken, Registration } from '../../../src/clients/registrations.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { winners } from './at-once.ts';
import type { Use } from './contract.ts';

const aToken = (given: Partial<InitialToken> = {}): InitialToken => ({
  id: newId('reg_'),
  name: 'Partners',
  token_hash: newId('sha256:'),
  created_at: '2030-01-01T00:00:00.000Z',
  expires_at: null,
  most_uses: null,
  uses: 0,
  ...given,
});

const aRegistration = (given: Partial<Registration> = {}): Registration => ({
  client_id: newId('app_'),
  token_hash: newId('sha256:'),
  initial_token: null,
  created_at: '2030-01-01T00:00:00.000Z',
  used_at: '2030-01-01T00:00:00.000Z',
  ...given,
});

export function registrationContract(use: Use): void {
  const store = () => use().storage.registrations;

  test('tokens to register with come back as they were given, oldest first, until they are removed', async () => {
    const late = aToken({ created_at: '2031-01-01T00:00:00.000Z', expires_at: 2_000_000_000, most_uses: 3 });
    const early = aToken();
    for (const token of [late, early]) await store().addToken(token);
    expect(await store().listTokens()).toEqual([early, late]);
    expect(await store().removeToken(early.id)).toBe(true);
    expect(await store().removeToken(early.id)).toBe(false);
    expect(await store().useToken(early.token_hash, 0)).toBeUndefined();
    expect(await store().listTokens()).toEqual([late]);
  });

  test('of 30 that use a token for five at once five get through, and one given back lets one more', async () => {
    const token = aToken({ most_uses: 5 });
    await store().addToken(token);
    const isUsed = async () => (await store().useToken(token.token_hash, 0)) !== undefined;
    expect(await winners(30, isUsed)).toBe(5);
    await store().giveBackUse(token.id);
    expect(await store().useToken(token.token_hash, 0)).toEqual({ ...token, uses: 5 });
    expect(await isUsed()).toBe(false);
  });

  test('a token is good until the second it expires', async () => {
    const token = aToken({ expires_at: 1000 });
    await store().addToken(token);
    expect(await store().useToken(token.token_hash, 999)).toMatchObject({ uses: 1 });
    expect(await store().useToken(token.token_hash, 1000)).toBeUndefined();
    expect(await store().useToken('sha256:another', 0)).toBeUndefined();
  });

  test('of 20 that replace the token of one client at once one does', async () => {
    const one = aRegistration({ initial_token: 'reg_1' });
    await store().add(one);
    expect(await store().find(one.client_id)).toEqual(one);
    const replaced = (index: number) => store().replaceTokenHash(one.client_id, one.token_hash, `sha256:${index}`);
    expect(await winners(20, replaced)).toBe(1);
    expect((await store().find(one.client_id))?.token_hash).not.toBe(one.token_hash);
  });

  test('the unused are listed, longest unused first; a use counts, an earlier one does not', async () => {
    const [older, old, used] = ['2030-01-01', '2030-01-02', '2030-01-03'].map((day) =>
      aRegistration({ used_at: `${day}T00:00:00.000Z` }),
    );
    for (const one of [used!, older!, old!]) await store().add(one);
    await store().noteUse(used!.client_id, '2030-02-01T00:00:00.000Z');
    await store().noteUse(used!.client_id, '2030-01-01T00:00:00.000Z');
    expect(await store().listUnused('2030-01-31T00:00:00.000Z', 10)).toEqual([older, old]);
    expect(await store().listUnused('2030-01-31T00:00:00.000Z', 1)).toEqual([older]);
    expect(await store().remove(older!.client_id)).toBe(true);
    expect(await store().remove(older!.client_id)).toBe(false);
    expect(await store().find(older!.client_id)).toBeUndefined();
  });
}
