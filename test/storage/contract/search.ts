import { describe, expect, test } from 'vitest';
import { mark } from '../../../src/kernel/search.ts';
import type { Search } from '../../../src/kernel/search.ts';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { aClient, anAccount } from './samples.ts';

export function searchContract(use: Use): void {
  const accounts = () => use().storage.accounts;
  const person = (name: string, email: string, overrides = {}) =>
    anAccount({ name, email, email_normalized: email.toLowerCase(), ...overrides });

  async function found(search: Search): Promise<string[]> {
    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await accounts().search({ ...search, after });
      names.push(...page.items.map(({ name }) => name));
      after = page.next;
    } while (after !== undefined);
    return names;
  }

  describe('people', () => {
    test('are found by the beginning of any word of their name, address or id, whatever its case and accents', async () => {
      const zoe = person('Zoë Lovelace', 'zl@Mail.example', { id: 'usr_AbC-d_e' });
      await accounts().insert(zoe);
      await accounts().insert(person('Somebody Else', 'else@other.test', { id: 'usr_else' }));
      for (const text of ['zoe', 'ZO', 'lovel', 'zoe lov', 'lovelace zoë', 'zl', 'zl@mail.ex', 'mail', 'usr_abc-d'])
        expect(await found({ text }), text).toEqual(['Zoë Lovelace']);
      for (const text of ['oe', 'lovelacee', 'zoe else', '@mail', '=state', '%', '_', '*', 'abc', 'd'])
        expect(await found({ text }), text).toEqual([]);
    });

    test('come in the order of their words, then ids, each once however many of their words fit', async () => {
      for (const [id, name] of [
        ['3', 'Ada Adams'],
        ['1', 'Bob Ada'],
        ['2', 'Ada Éclair'],
        ['4', 'Adele 𝔸dà'],
      ] as const)
        await accounts().insert(person(name, `${id}@x.test`, { id }));
      const all = await found({ text: 'ad' });
      expect(all).toEqual(['Bob Ada', 'Ada Éclair', 'Ada Adams', 'Adele 𝔸dà']);
      for (const limit of [1, 2, 3]) expect(await found({ text: 'ad', limit }), String(limit)).toEqual(all);
    });

    test('are found by marks, alone and beside words', async () => {
      await accounts().insert(person('Ada', 'a@x.test', { roles: ['admin', 'editor'] }));
      await accounts().insert(person('Alan', 'b@x.test', { state: 'suspended' }));
      await accounts().insert(person('Alonzo', 'c@x.test', { roles: ['admin'], state: 'suspended' }));
      const [admin, suspended] = [mark('role', 'admin'), mark('state', 'suspended')];
      expect((await found({ having: [admin] })).toSorted()).toEqual(['Ada', 'Alonzo']);
      expect(await found({ text: 'a', having: [admin], not: [suspended] })).toEqual(['Ada']);
      expect(await found({ having: [admin, suspended] })).toEqual(['Alonzo']);
      expect(await found({ not: [suspended] })).toEqual(['Ada']);
    });

    test('are found by what they are called now, not by what they were called', async () => {
      const account = person('Ada Byron', 'ada@x.test');
      await accounts().insert(account);
      const next = await accounts().update({ ...account, name: 'Ada King', roles: ['admin'] });
      expect(await found({ text: 'byron' })).toEqual([]);
      expect(await found({ text: 'king' })).toEqual(['Ada King']);
      await accounts().update({ ...next, name: 'Ada Lovelace' }, { durable: false });
      expect(await found({ text: 'love' })).toEqual(['Ada Lovelace']);
      await accounts().delete(account.id);
      expect(await found({ text: 'ada' })).toEqual([]);
    });

    test('whose name changes at the same moment are found by the one that won', async () => {
      const account = person('Before', 'ada@x.test');
      await accounts().insert(account);
      const { values } = await atOnce(8, (index) => accounts().update({ ...account, name: `After${index}` }));
      expect(await found({ text: 'after' })).toEqual([values[0]!.name]);
    });

    test('who could not be added leave nobody else unfound', async () => {
      const account = person('Ada One', 'ada@x.test');
      await accounts().insert(account);
      await expect(accounts().insert({ ...person('Ada Two', 'ada@x.test') })).rejects.toThrow();
      expect(await found({ text: 'ada' })).toEqual(['Ada One']);
      expect(await found({ text: 'two' })).toEqual([]);
    });

    test('whatever is typed is only ever looked for', async () => {
      await accounts().insert(person('Ada', 'ada@x.test'));
      for (const text of ["'", '"; DROP TABLE accounts', '$gt', '\0', '\u{10FFFF}', 'a'.repeat(5000), '@', '🙂'])
        expect(await found({ text }), text).toEqual([]);
      expect(await found({ text: '   ' })).toEqual(['Ada']);
    });
  });

  test('apps are found by type and name, APIs by their identifier too', async () => {
    const { clients } = use().storage;
    await clients.insert(aClient({ id: 'app_1', client_name: 'Notes' }));
    await clients.insert(
      aClient({ id: 'api_1', type: 'api', client_name: 'Store', resource: 'https://api.notes.example' }),
    );
    const ids = async (search: Search) => (await clients.search(search)).items.map(({ id }) => id);
    expect((await ids({ text: 'notes' })).toSorted()).toEqual(['api_1', 'app_1']);
    expect(await ids({ text: 'notes', not: [mark('type', 'api')] })).toEqual(['app_1']);
    expect(await ids({ having: [mark('type', 'api')] })).toEqual(['api_1']);
  });
}
