import { expect, test } from 'vitest';
import type { Page, PageRequest } from '../../../src/kernel/paging.ts';

interface Item {
  id: string;
  created_at: string;
}

interface Listing<T> {
  insert(item: T): Promise<void>;
  delete(id: string): Promise<boolean>;
  list(page: PageRequest): Promise<Page<T>>;
}

async function allPages<T>(listing: Listing<T>, limit: number): Promise<T[][]> {
  const pages: T[][] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await listing.list({ after, limit });
    pages.push(page.items);
    after = page.next;
  }
  return pages;
}

const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const FORGED = ['x', '', '%00', forged(null), forged({}), forged(['2026']), forged([1, 2]), forged([{ $gt: '' }, 'x'])];

/** What accounts and clients have in common: a listing in pages, oldest first. */
export function pagingContract<T extends Item>(listing: () => Listing<T>, make: (overrides: Item) => T): void {
  // Three share each moment, so that the order within a moment matters too.
  const sample = (index: number) => {
    const created_at = new Date(Date.UTC(2026, 0, 1, 0, 0, Math.floor(index / 3))).toISOString();
    return make({ id: `${(index * 7) % 25}-${index % 2 ? 'B' : 'a'}`, created_at });
  };
  const samples = () => Array.from({ length: 25 }, (_, index) => sample(index));
  const inOrder = (items: T[]) =>
    items
      .toSorted((a, b) => Buffer.compare(Buffer.from(a.created_at + a.id), Buffer.from(b.created_at + b.id)))
      .map(({ id }) => id);

  test('25 items in pages of 10 come oldest first, each exactly once', async () => {
    const items = samples();
    for (const item of items.toReversed()) await listing().insert(item);
    const pages = await allPages(listing(), 10);
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat().map(({ id }) => id)).toEqual(inOrder(items));
  });

  test('a page that is just full and the last has no next', async () => {
    for (const item of samples().slice(0, 10)) await listing().insert(item);
    expect((await listing().list({ limit: 10 })).next).toBeUndefined();
  });

  test('deleting the item a page ended with loses and repeats nothing', async () => {
    const items = samples();
    for (const item of items) await listing().insert(item);
    const first = await listing().list({ limit: 10 });
    await listing().delete(first.items.at(-1)!.id);
    const second = await listing().list({ after: first.next, limit: 15 });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(inOrder(items));
  });

  test('an empty listing is one empty page', async () => {
    expect(await listing().list({})).toEqual({ items: [], next: undefined });
  });

  test('a cursor that no listing gave is refused', async () => {
    for (const after of FORGED) {
      await expect(listing().list({ after }), after).rejects.toMatchObject({ code: 'invalid_input', field: 'after' });
    }
  });

  test('a limit that is not a whole number from 1 to 500 is refused', async () => {
    for (const limit of [0, -1, 501, 1.5, Number.NaN]) {
      await expect(listing().list({ limit }), String(limit)).rejects.toMatchObject({
        code: 'invalid_input',
        field: 'limit',
      });
    }
    await listing().list({ limit: 500 });
  });
}
