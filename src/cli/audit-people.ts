import type { Accounts } from '../accounts/accounts.ts';

interface Named {
  actor?: string;
  target?: string;
}

/** The same filters, with e-mail addresses in the place of which their people stand. */
export async function readPeople<T extends Named>({ accounts }: { accounts: Accounts }, filters: T): Promise<T> {
  const idOf = async (who: string | undefined) => (who?.includes('@') ? (await accounts.get(who)).id : who);
  const [actor, target] = [await idOf(filters.actor), await idOf(filters.target)];
  return { ...filters, ...(actor === undefined ? {} : { actor }), ...(target === undefined ? {} : { target }) };
}
