import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import type { Account } from './account.ts';

/** Where accounts are kept. Every write survives power loss once its promise resolves, unless it says otherwise. */
export interface AccountStore {
  /** Adds an account. @throws duplicate (field `email`) when the normalised e-mail is taken: of callers at once, one wins. */
  insert(account: Account): Promise<void>;
  /**
   * Adds many, each as `insert` does, in far less time; at most 1,000.
   * @returns of each, in their order, whether it was added: false where its id or e-mail is taken, also by one before it.
   */
  insertMany(accounts: Account[]): Promise<boolean[]>;
  find(id: string): Promise<Account | undefined>;
  findByEmail(emailNormalized: string): Promise<Account | undefined>;
  /**
   * Replaces the account if its version is still `account.version`, and returns it with the version counted up.
   * @param options `durable` false: power loss may take it back, as is good enough for a date of sign-in.
   * @throws conflict when it changed meanwhile, duplicate when its new e-mail is taken, not_found when it is gone.
   */
  update(account: Account, options?: { durable: boolean }): Promise<Account>;
  /** @returns whether there was one. */
  delete(id: string): Promise<boolean>;
  /** Ids of accounts whose `erase_at` (ISO 8601) is past, the longest due first. */
  listToErase(now: string, limit: number): Promise<string[]>;
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Account>>;
  /** By the beginnings of words and by marks, as `wordsOfAccount` has them. What was written is found at once. */
  search(search: Search): Promise<Page<Account>>;
}
