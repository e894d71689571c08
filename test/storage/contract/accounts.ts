import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from './at-once.ts';
import type { Driver, Use } from './contract.ts';
import { pagingContract } from './paging.ts';
import { anAccount } from './samples.ts';

export function accountContract(use: Use, { shared }: Driver): void {
  const sharedTest = shared ? test : () => undefined;
  const accounts = () => use().storage.accounts;

  test('an account comes back as it was written, by id and by e-mail', async () => {
    const account = anAccount({
      claims: { given_name: 'Ada', phone_number_verified: true, address: { locality: 'London', country: 'GB' } },
      roles: ['admin', 'shop:editor'],
      picture: 'https://example.com/ada.png',
      last_sign_in_at: '2026-02-01T00:00:00.000Z',
    });
    await accounts().insert(account);
    expect(await accounts().find(account.id)).toEqual(account);
    expect(await accounts().findByEmail(account.email_normalized)).toEqual(account);
  });

  test('whatever text people are called by is kept', async () => {
    const texts = fc.record({
      name: fc.string({ unit: 'grapheme' }),
      roles: fc.array(fc.string()),
      claims: fc.record({ nickname: fc.string({ unit: 'grapheme' }) }, { requiredKeys: [] }),
    });
    await fc.assert(
      fc.asyncProperty(texts, async (overrides) => {
        const account = anAccount(overrides);
        await accounts().insert(account);
        expect(await accounts().find(account.id)).toEqual(account);
      }),
      { numRuns: 30 },
    );
  });

  test('nobody is found by an unknown id or e-mail', async () => {
    await accounts().insert(anAccount());
    expect(await accounts().find('nobody')).toBeUndefined();
    expect(await accounts().findByEmail('nobody@example.com')).toBeUndefined();
  });

  test('an e-mail that is taken cannot sign up', async () => {
    const { email_normalized } = anAccount();
    await accounts().insert(anAccount({ email_normalized }));
    const second = anAccount({ email_normalized });
    await expect(accounts().insert(second)).rejects.toMatchObject({ code: 'duplicate', field: 'email' });
    expect(await accounts().find(second.id)).toBeUndefined();
  });

  test('of 50 people who sign up with one e-mail at once exactly one gets it', async () => {
    const { email_normalized } = anAccount();
    const { values, errors } = await atOnce(50, () => accounts().insert(anAccount({ email_normalized })));
    expect(values).toHaveLength(1);
    for (const error of errors) expect(error).toMatchObject({ code: 'duplicate', field: 'email' });
    expect((await accounts().list({})).items).toHaveLength(1);
  });

  sharedTest('of two processes that add one e-mail at once exactly one does', async () => {
    const other = await use().reopen();
    const stores = [accounts(), other.accounts];
    for (let round = 0; round < 5; round += 1) {
      const { email_normalized } = anAccount();
      const { values, errors } = await atOnce(2, (index) => stores[index]!.insert(anAccount({ email_normalized })));
      expect(values).toHaveLength(1);
      expect(errors).toMatchObject([{ code: 'duplicate', field: 'email' }]);
    }
    await other.close();
  });

  describe('insertMany', () => {
    test('adds many, and says of which the e-mail or id is taken', async () => {
      const there = anAccount();
      await accounts().insert(there);
      const [one, two, three] = [anAccount(), anAccount(), anAccount()];
      const sameEmail = anAccount({ email_normalized: there.email_normalized });
      const sameId = anAccount({ id: there.id });
      const twice = anAccount({ email_normalized: two.email_normalized });
      const added = await accounts().insertMany([one, sameEmail, two, sameId, twice, three]);
      expect(added).toEqual([true, false, true, false, false, true]);
      for (const account of [one, two, three, there]) expect(await accounts().find(account.id)).toEqual(account);
      expect((await accounts().list({})).items).toHaveLength(4);
      expect(await accounts().insertMany([])).toEqual([]);
    });

    test('of two callers with the same people each person is added by one', async () => {
      const people = Array.from({ length: 30 }, () => anAccount());
      const { values } = await atOnce(2, () => accounts().insertMany(people));
      for (const index of people.keys()) expect(values.map((added) => added[index]).sort()).toEqual([false, true]);
      expect((await accounts().list({ limit: 100 })).items).toHaveLength(30);
    });
  });

  describe('update', () => {
    test('replaces the account and counts its version up', async () => {
      const account = anAccount({ name: 'Before', claims: { nickname: 'b' } });
      await accounts().insert(account);
      const updated = await accounts().update({ ...account, name: 'After', claims: {}, password_hash: null });
      expect(updated).toEqual({ ...account, name: 'After', claims: {}, password_hash: null, version: 2 });
      expect(await accounts().find(account.id)).toEqual(updated);
    });

    test('of 20 updates of one version at once exactly one is made, the others are told of the conflict', async () => {
      const account = anAccount();
      await accounts().insert(account);
      const { values, errors } = await atOnce(20, (index) =>
        accounts().update({ ...account, name: `writer ${index}` }),
      );
      expect(values).toHaveLength(1);
      for (const error of errors) expect(error).toMatchObject({ code: 'conflict' });
      expect(await accounts().find(account.id)).toEqual(values[0]);
    });

    test('writers that read again after a conflict all get through', async () => {
      const { id } = anAccount();
      await accounts().insert(anAccount({ id }));
      const addRole = async (role: string): Promise<void> => {
        const account = (await accounts().find(id))!;
        await accounts()
          .update({ ...account, roles: [...account.roles, role] })
          .catch(() => addRole(role));
      };
      await Promise.all(Array.from({ length: 8 }, (_, index) => addRole(`role-${index}`)));
      expect(await accounts().find(id)).toMatchObject({ version: 9, roles: { length: 8 } });
    });

    test('to an e-mail of somebody else is refused and changes nothing', async () => {
      const [ada, bob] = [anAccount(), anAccount()];
      await accounts().insert(ada);
      await accounts().insert(bob);
      const taken = accounts().update({ ...bob, email_normalized: ada.email_normalized });
      await expect(taken).rejects.toMatchObject({ code: 'duplicate', field: 'email' });
      expect(await accounts().find(bob.id)).toEqual(bob);
    });

    test('to another e-mail moves the person there and frees the old address', async () => {
      const account = anAccount();
      await accounts().insert(account);
      await accounts().update({ ...account, email_normalized: 'new@example.com' });
      expect(await accounts().findByEmail('new@example.com')).toMatchObject({ id: account.id });
      await accounts().insert(anAccount({ email_normalized: account.email_normalized }));
    });

    test('of an account that is gone says so', async () => {
      await expect(accounts().update(anAccount())).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  test('a deleted account is gone, its e-mail free; deleting it again says there was none', async () => {
    const account = anAccount();
    await accounts().insert(account);
    expect(await accounts().delete(account.id)).toBe(true);
    expect(await accounts().find(account.id)).toBeUndefined();
    expect(await accounts().delete(account.id)).toBe(false);
    await accounts().insert(anAccount({ email_normalized: account.email_normalized }));
  });

  describe('listing', () => pagingContract(accounts, anAccount));
}
