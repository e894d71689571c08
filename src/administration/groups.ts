import { invalidInput } from '../kernel/errors.ts';
import type { RoleBook } from '../roles/book.ts';

type Book = Pick<RoleBook, 'latest'>;

/** A role needs no record, a group does: it is what its record says. @param before those that somebody is in already. @throws invalid_input. */
export async function mustBeGroups(book: Book, groups: string[] | undefined, before: string[] = []): Promise<void> {
  if (!groups?.length) return;
  const { group } = await book.latest();
  const unknown = groups.find((name) => !before.includes(name) && group(name)?.name !== name);
  if (unknown !== undefined) throw invalidInput(`no group is called ${unknown}`, 'groups');
}
