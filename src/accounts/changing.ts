/** Changing an account that others change at the same moment. */
import { isoNow } from '../kernel/clock.ts';
import { conflict, isGatehouseError, notFound } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import { normalizeEmail } from './email.ts';
import type { AccountStore } from './store.ts';

const UPDATE_ATTEMPTS = 5;

export interface Changing {
  /** Applies `apply` to the newest version, again when somebody else was faster. @throws not_found, conflict. */
  change(id: string, apply: (account: Account) => Account, options?: { durable: boolean }): Promise<Account>;
  /** The same, as long as the account has this address. @throws conflict when it has another one. */
  changeWhileAt(id: string, email: string, apply: (account: Account) => Account): Promise<Account>;
}

export function createChanging(store: Pick<AccountStore, 'find' | 'update'>): Changing {
  async function change(
    id: string,
    apply: (account: Account) => Account,
    options?: { durable: boolean },
  ): Promise<Account> {
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt += 1) {
      const account = await store.find(id);
      if (!account) throw notFound(`no account has the id ${id}`);
      const next = apply(account);
      try {
        return await store.update(next, options);
      } catch (error) {
        if (!isGatehouseError(error, 'conflict')) throw error;
      }
    }
    throw conflict(`the account ${id} keeps changing; try again`);
  }

  const changeWhileAt = (id: string, email: string, apply: (account: Account) => Account) =>
    change(id, (current) => {
      if (current.email_normalized !== normalizeEmail(email))
        throw conflict(`the account ${id} has another address by now`);
      return { ...apply(current), updated_at: isoNow() };
    });

  return { change, changeWhileAt };
}
