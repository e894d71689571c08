import type { Page, PageRequest } from '../kernel/paging.ts';

const PAGE_SIZE = 500;

/** All items of a paged listing. */
export async function every<T>(list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = await list({ after, limit: PAGE_SIZE });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}
