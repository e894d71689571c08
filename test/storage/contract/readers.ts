import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochSeconds } from '../../../src/kernel/clock.ts';
import type { AccountStore } from '../../../src/accounts/store.ts';
import type { ProtocolStore } from '../../../src/protocol/store.ts';
import type { Driver, Use } from './contract.ts';
import { plain } from './protocol.ts';
import { anAccount, aRecord } from './samples.ts';

const KEYS = ['a', 'b', 'c'];
const key = fc.constantFrom(...KEYS);
/** Seconds from now; some are over already. */
const life = fc.constantFrom(1000, 2000, null, -5);

type Step<Store> = (store: Store) => Promise<unknown>;

const record = (name: string, seconds: number | null) =>
  aRecord({
    key: name,
    grant_key: 'grant',
    uid_key: `uid ${name}`,
    expires_at: seconds === null ? null : epochSeconds() + seconds,
  });

/** Everything that changes records, and reading between it. */
const steps: Record<string, fc.Arbitrary<Step<ProtocolStore>>> = {
  find: key.map((name) => (store) => store.find(name)),
  upsert: fc.tuple(key, life, fc.boolean()).map(
    ([name, seconds, durable]) =>
      (store) =>
        store.upsert(record(name, seconds), { durable }),
  ),
  swap: fc.tuple(key, life).map(([name, seconds]) => async (store) => {
    const seen = await store.find(name);
    return seen && store.swap(record(name, seconds), seen.sealed);
  }),
  move: fc
    .tuple(key, key)
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => async (store) => {
      if ((await store.find(to)) === undefined) await store.destroy(to, { durable: false });
      return store.move(from, record(to, 1000)).catch(() => undefined);
    }),
  insert: fc.tuple(key, life).map(
    ([name, seconds]) =>
      (store) =>
        store.insertIfAbsent(record(name, seconds)),
  ),
  consume: key.map((name) => (store) => store.consume(name, epochSeconds())),
  destroy: fc.tuple(key, fc.boolean()).map(
    ([name, durable]) =>
      (store) =>
        store.destroy(name, { durable }),
  ),
  revoke: fc.boolean().map((withGrant) => (store) => store.revokeGrant('grant', { withGrant })),
  sweep: fc.constant((store) => store.sweep(epochSeconds(), 10)),
};

const emailOf = (id: string) => `${id}@example.com`;

/** The same for accounts. */
const accountSteps: Record<string, fc.Arbitrary<Step<AccountStore>>> = {
  find: key.map((id) => (store) => store.find(id)),
  insert: key.map(
    (id) => (store) => store.insert(anAccount({ id, email_normalized: emailOf(id) })).catch(() => undefined),
  ),
  update: fc.tuple(key, fc.string(), fc.boolean()).map(([id, name, durable]) => async (store) => {
    const seen = await store.find(id);
    return seen && store.update({ ...seen, name }, { durable }).catch(() => undefined);
  }),
  delete: key.map((id) => (store) => store.delete(id)),
};

/** A few things at once, each at one of the places where the data is open; and that again and again. */
const momentsOf = <Store>(steps: Record<string, fc.Arbitrary<Step<Store>>>) =>
  fc.array(fc.array(fc.tuple(fc.nat(1), fc.oneof(...Object.values(steps))), { minLength: 1, maxLength: 3 }), {
    maxLength: 12,
  });

export function readerContract(use: Use, { shared }: Driver): void {
  test('what is consumed while it is written is consumed for whoever reads it', async () => {
    const store = use().storage.protocol;
    await store.upsert(record('code', 1000));
    await store.find('code');
    await Promise.all([store.upsert(record('code', 1000)), store.consume('code', epochSeconds())]);
    expect(await store.find('code')).toMatchObject({ consumed_at: expect.any(Number) as number });
  });

  test('whoever changes records, everybody finds what is there', async () => {
    const other = shared ? await use().reopen() : undefined;
    const places = [use().storage.protocol, (other ?? use().storage).protocol];
    const there = async () => {
      const all = await places[0]!.listInOrder('', 100);
      return new Map(all.map((one) => [one.key, plain(one)]));
    };
    await fc.assert(
      fc.asyncProperty(momentsOf(steps), async (moments) => {
        for (const steps of moments) {
          await Promise.all(steps.map(([place, step]) => step(places[place]!)));
          const records = await there();
          for (const place of places)
            for (const name of KEYS) {
              expect(plain(await place.findByUid(`uid ${name}`))).toEqual(records.get(name));
              expect(plain(await place.find(name))).toEqual(records.get(name));
            }
        }
      }),
      { numRuns: 100 },
    );
    await other?.close();
  });

  test('whoever changes accounts, everybody finds what is there', async () => {
    const other = shared ? await use().reopen() : undefined;
    const places = [use().storage.accounts, (other ?? use().storage).accounts];
    await fc.assert(
      fc.asyncProperty(momentsOf(accountSteps), async (moments) => {
        for (const steps of moments) {
          await Promise.all(steps.map(([place, step]) => step(places[place]!)));
          for (const place of places)
            for (const id of KEYS) expect(await place.find(id)).toEqual(await place.findByEmail(emailOf(id)));
        }
      }),
      { numRuns: 50 },
    );
    await other?.close();
  });

  test('whoever changes what they found changes nothing that others find', async () => {
    const { accounts } = use().storage;
    const account = anAccount({ claims: { address: { locality: 'London' } } });
    await accounts.insert(account);
    const changes: ((found: typeof account) => unknown)[] = [
      (found) => (found.name = 'Eve'),
      (found) => found.roles.push('admin'),
      (found) => (found.claims.address!['locality'] = 'Paris'),
    ];
    for (const change of changes) {
      const found = (await accounts.find(account.id))!;
      try {
        change(found);
      } catch {
        // A store may give what cannot be changed.
      }
      expect(await accounts.find(account.id)).toEqual(account);
    }
  });
}
