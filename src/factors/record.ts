/** The record of one account's factors, changed by compare-and-set. */
import { conflict } from '../kernel/errors.ts';
import type { AccountFactors, FactorStore } from './store.ts';

/** Of callers at once one wins each round. */
const CHANGE_ATTEMPTS = 120;

export const noFactors = (account_id: string): AccountFactors => ({
  account_id,
  totp: null,
  recovery_codes: null,
  devices: [],
  asked_at: null,
  version: 0,
});

export interface FactorRecords {
  load(accountId: string): Promise<AccountFactors>;
  /**
   * Makes the newest record into the next one, again when somebody else was faster. `apply` gives undefined where there is nothing
   * to change. @returns whether something was changed. @throws conflict when it keeps changing.
   */
  change(
    accountId: string,
    apply: (current: AccountFactors) => AccountFactors | undefined,
    options?: { durable: boolean },
  ): Promise<boolean>;
}

export function createFactorRecords(store: FactorStore): FactorRecords {
  const load = async (accountId: string) => (await store.find(accountId)) ?? noFactors(accountId);
  return {
    load,
    async change(accountId, apply, options) {
      for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
        const next = apply(await load(accountId));
        if (!next) return false;
        if (await store.put(next, options)) return true;
      }
      throw conflict('the factors of the account keep changing; try again');
    },
  };
}
