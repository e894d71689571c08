import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createVault } from '../../../src/kernel/secrets.ts';
import { loadHashingKeys } from '../../../src/keys/hashing-keys.ts';
import { createKeyMaker } from '../../../src/keys/making.ts';
import { createRotation } from '../../../src/keys/rotation.ts';
import type { KeyRingStore } from '../../../src/keys/store.ts';
import { createLogger } from '../../../src/log.ts';
import { atOnce, winners } from './at-once.ts';
import type { Driver, Use } from './contract.ts';
import { aFetch, aMail, aRecord, someFactors } from './samples.ts';

const POLICY = {
  algorithms: ['ES256', 'RS256'] as const,
  rotation: 300,
  lead: 100,
  cache: 10,
  retirement: 1000,
  longest: 60,
};

export function keyContract(use: Use, { shared }: Driver): void {
  const rings = () => use().storage.keyRings;

  test('a ring begins with version 1, and each change counts it up', async () => {
    expect(await rings().version('signing')).toBe(0);
    expect(await rings().read('signing')).toBeUndefined();
    expect(await rings().swap('signing', '{"keys":["ä"]}', 0)).toBe(true);
    expect(await rings().swap('signing', '{"keys":[]}', 1)).toBe(true);
    expect(await rings().version('signing')).toBe(2);
    expect(await rings().read('signing')).toEqual({ version: 2, document: '{"keys":[]}' });
    expect(await rings().version('hashing')).toBe(0);
  });

  test('who has not seen the newest version changes nothing', async () => {
    expect(await rings().swap('signing', 'too early', 3)).toBe(false);
    await rings().swap('signing', 'first', 0);
    for (const seen of [0, 2]) expect(await rings().swap('signing', 'second', seen)).toBe(false);
    expect(await rings().read('signing')).toEqual({ version: 1, document: 'first' });
  });

  test('of 20 changes at once exactly one is made, to a ring that is there and to one that is not', async () => {
    for (const seen of [0, 1])
      expect(await winners(20, (index) => rings().swap('signing', `by ${index}`, seen))).toBe(1);
    expect(await rings().version('signing')).toBe(2);
  });

  test('nothing is left from older versions in a new store, and taking that away is no mistake', async () => {
    expect(await rings().listOld()).toEqual([]);
    await rings().deleteOld(['a key that is not there']);
  });

  test('processes that start at once on an empty store have the same keys', async () => {
    const key = randomBytes(32);
    const other = shared ? await use().reopen() : undefined;
    const stores: KeyRingStore[] = [rings(), other?.keyRings ?? rings()];
    const maker = createKeyMaker({ vault: createVault(key, 'keys') });
    const log = createLogger('silent');
    const rotations = stores.map((store) => createRotation({ store, maker, policy: POLICY, log }));
    expect(await winners(6, (index) => rotations[index % 2]!.check(() => 0))).toBe(1);
    const sets = await Promise.all(rotations.map((rotation) => rotation.read()));
    expect(sets[0]!.keys.map(({ alg, state }) => [alg, state])).toEqual([
      ['ES256', 'active'],
      ['RS256', 'active'],
    ]);
    expect(sets[1]).toEqual(sets[0]);
    const { values } = await atOnce(6, (i) => loadHashingKeys({ store: stores[i % 2]!, encryptionKeys: [key] }));
    expect(values).toHaveLength(6);
    for (const value of values) expect(value).toEqual(values[0]);
    await other?.close();
  });

  test('fetches of one address and user agent add up; the newest come first', async () => {
    const fetches = use().storage.keySetFetches;
    const curl = aFetch({ user_agent: 'curl' });
    await fetches.add([curl, aFetch({ address: '2001:db8::1', user_agent: 'curl', last_at: 3000 })]);
    await fetches.add([{ ...curl, first_at: 900, last_at: 2000, fetches: 4 }]);
    await fetches.add([]);
    expect(await fetches.list(0, 10)).toEqual([
      { address: '2001:db8::1', user_agent: 'curl', first_at: 1000, last_at: 3000, fetches: 1 },
      { address: '203.0.113.7', user_agent: 'curl', first_at: 900, last_at: 2000, fetches: 5 },
    ]);
    expect(await fetches.list(2001, 10)).toHaveLength(1);
    expect(await fetches.list(0, 1)).toHaveLength(1);
  });

  test('of fetches the old ones go, and of the others those beyond the limit', async () => {
    const fetches = use().storage.keySetFetches;
    await fetches.add([1000, 2000, 3000, 4000].map((last_at) => aFetch({ last_at })));
    await fetches.purge(1001, 10);
    expect((await fetches.list(0, 10)).map(({ last_at }) => last_at)).toEqual([4000, 3000, 2000]);
    await fetches.purge(0, 2);
    expect((await fetches.list(0, 10)).map(({ last_at }) => last_at)).toEqual([4000, 3000]);
  });

  test('all that is sealed can be walked through in order, and sealed anew where nobody has changed it', async () => {
    const { protocol, factors, outbox } = use().storage;
    const records = ['c', 'a', 'b'].map((key) => aRecord({ key }));
    for (const record of [...records, aRecord({ key: 'gone', expires_at: 1 })]) await protocol.upsert(record);
    const [first, second] = await protocol.listInOrder('', 2);
    expect([first!.key, second!.key]).toEqual(['a', 'b']);
    expect((await protocol.listInOrder('b', 2)).map(({ key }) => key)).toEqual(['c']);

    const people = [someFactors({ account_id: 'usr_b' }), someFactors({ account_id: 'usr_a' })];
    for (const one of people) await factors.put(one);
    expect((await factors.listInOrder('', 9)).map(({ account_id }) => account_id)).toEqual(['usr_a', 'usr_b']);
    expect(await factors.listInOrder('usr_a', 9)).toEqual([{ ...people[0]!, version: 1 }]);

    const mail = aMail();
    await outbox.insert(mail);
    const anew = randomBytes(40);
    expect(await outbox.reseal(mail.id, 'sealed', randomBytes(40), anew)).toBe(false);
    expect(await outbox.reseal(mail.id, 'sealed', mail.sealed!, anew)).toBe(true);
    expect(Buffer.from((await outbox.find(mail.id))!.sealed!)).toEqual(anew);
    expect(await outbox.reseal(mail.id, 'problem', anew, anew)).toBe(false);
  });
}
