import { expect, test } from 'vitest';
import { newId } from '../../../src/kernel/ids.ts';
import { atOnce } from './at-once.ts';
import type { Use } from './contract.ts';
import { aConsent } from './samples.ts';

const day = (number: number) => `2030-01-0${number}T00:00:00.000Z`;
const anId = (host = 'app.example') => `https://${host}/${newId()}.json`;

export function clientDocumentContract(use: Use): void {
  const store = () => use().storage.clientDocuments;
  const read = (id: string, at = day(1)) => store().noteRead(id, { fetched_at: at, fresh_until: day(9) });

  test('a document that was read is found; reading it again changes neither its use nor that it is denied', async () => {
    const id = anId();
    expect(await store().find(id)).toBeUndefined();
    await read(id);
    const expected = { client_id: id, fetched_at: day(1), fresh_until: day(9), used_at: day(1) };
    expect(await store().find(id)).toEqual({ ...expected, denied_at: null, denied_reason: null });
    await store().noteUse(id, day(3));
    await store().noteUse(id, day(2));
    await store().deny(id, { at: day(4), reason: 'No' });
    await read(id, day(5));
    expect(await store().find(id)).toEqual({
      ...expected,
      fetched_at: day(5),
      used_at: day(3),
      denied_at: day(4),
      denied_reason: 'No',
    });
  });

  test('one that nobody has seen can be denied; the first time counts, and the last reason', async () => {
    const id = anId();
    await store().deny(id, { at: day(2), reason: 'It lies' });
    await store().deny(id, { at: day(3), reason: null });
    const denied = { client_id: id, fetched_at: null, fresh_until: null, used_at: day(2) };
    expect(await store().find(id)).toEqual({ ...denied, denied_at: day(2), denied_reason: null });
    expect(await store().allow(id)).toBe(true);
    expect(await store().allow(id)).toBe(false);
    expect(await store().find(id)).toEqual({ ...denied, denied_at: null, denied_reason: null });
    expect(await store().allow(anId())).toBe(false);
  });

  test('read and denied 20 times at once, there is one, and it is denied', async () => {
    const id = anId();
    const { errors } = await atOnce<unknown>(20, (index) =>
      index % 2 === 0 ? read(id) : store().deny(id, { at: day(2), reason: null }),
    );
    expect(errors).toEqual([]);
    expect(await store().find(id)).toMatchObject({ fetched_at: day(1), denied_at: day(2) });
    expect(await store().list('', 10)).toHaveLength(1);
  });

  test('they are listed by their ids, and counted where they are not denied', async () => {
    const ids = ['a.example', 'b.example', 'c.example'].map(anId);
    for (const id of ids.toReversed()) await read(id);
    await store().deny(ids[1]!, { at: day(2), reason: null });
    expect((await store().list('', 2)).map(({ client_id }) => client_id)).toEqual(ids.slice(0, 2));
    expect((await store().list(ids[1]!, 2)).map(({ client_id }) => client_id)).toEqual(ids.slice(2));
    expect(await store().count()).toBe(2);
  });

  test('the unused are listed, longest unused first, without those that are denied', async () => {
    const [older, old, used, denied] = [anId(), anId(), anId(), anId()];
    for (const [id, at] of [
      [old, day(2)],
      [older, day(1)],
      [used, day(1)],
      [denied, day(1)],
    ] as const)
      await read(id, at);
    await store().noteUse(used, day(8));
    await store().deny(denied, { at: day(1), reason: null });
    const unused = await store().listUnused(day(5), 10);
    expect(unused.map(({ client_id }) => client_id)).toEqual([older, old]);
    expect(await store().listUnused(day(5), 1)).toHaveLength(1);
    expect(await store().remove(older)).toBe(true);
    expect(await store().remove(older)).toBe(false);
    expect(await store().find(older)).toBeUndefined();
  });

  test('what people allowed one app is listed, as many as are asked for', async () => {
    const client_id = anId();
    const { consents } = use().storage;
    for (const account_id of ['ada', 'bob', 'eve']) await consents.put(aConsent({ account_id, client_id }));
    await consents.put(aConsent({ account_id: 'ada' }));
    expect((await consents.listByClient(client_id, 2)).map(({ account_id }) => account_id)).toEqual(['ada', 'bob']);
    expect(await consents.listByClient(client_id, 10)).toHaveLength(3);
    expect(await consents.listByClient(anId(), 10)).toEqual([]);
  });
}
