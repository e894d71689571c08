/** Whether an account may be used: suspended, leaving, kept after all, gone. */
import { isoNow } from '../kernel/clock.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import type { Changing } from './changing.ts';
import { mustBeVersion } from './editing.ts';
import type { AccountStore } from './store.ts';

export interface Leaving {
  setState(id: string, state: 'active' | 'suspended'): Promise<Account>;
  /** The person wants it deleted: nobody can use it, and at `eraseAt` (ISO 8601) all of it goes unless they keep it before. */
  leave(id: string, eraseAt: string): Promise<Account>;
  /** They want to keep it after all. @returns undefined when it is too late, or nothing was to be deleted. */
  keep(id: string): Promise<Account | undefined>;
  /** From now on nobody can keep it. @param version of which it must be; undefined is any. @returns whether there is such an account. @throws stale. */
  condemn(id: string, version?: number): Promise<boolean>;
  /** Ids of accounts that are to be erased by now. */
  listToErase(limit: number): Promise<string[]>;
  /** @returns whether there was one. */
  delete(id: string): Promise<boolean>;
}

/** Nobody signs in to it, not even to keep it. */
export const isClosed = ({ state, erase_at }: Pick<Account, 'state' | 'erase_at'>): boolean =>
  state === 'suspended' || (state === 'deleting' && erase_at! <= isoNow());

interface Needs {
  store: Pick<AccountStore, 'listToErase' | 'delete'>;
  changing: Pick<Changing, 'change'>;
}

export function createLeaving({ store, changing: { change } }: Needs): Leaving {
  return {
    setState: (id, state) =>
      change(id, (current) => ({
        ...current,
        state,
        erase_at: state === 'active' ? null : (current.erase_at ?? null),
        updated_at: isoNow(),
      })),

    leave: (id, erase_at) =>
      change(id, (current) => ({ ...current, state: 'deleting', erase_at, updated_at: isoNow() })),

    async keep(id) {
      const kept = await change(id, (current) =>
        current.state === 'deleting' && current.erase_at! > isoNow()
          ? { ...current, state: 'active', erase_at: null, updated_at: isoNow() }
          : current,
      );
      return kept.state === 'active' ? kept : undefined;
    },

    async condemn(id, version) {
      try {
        await change(id, (current) => {
          mustBeVersion(current, version);
          return { ...current, state: 'suspended', erase_at: current.erase_at ?? isoNow() };
        });
        return true;
      } catch (error) {
        if (isGatehouseError(error, 'not_found')) return false;
        throw error;
      }
    },

    listToErase: (limit) => store.listToErase(isoNow(), limit),
    delete: (id) => store.delete(id),
  };
}
