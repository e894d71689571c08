/**
 * There is always an admin who can sign in: nothing takes the role, the state or the account from the last one, whatever door it
 * comes through. Two who would each take one of the last two away go one after the other, in whichever process they are.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { busy, conflict, isGatehouseError } from '../kernel/errors.ts';
import { mark } from '../kernel/search.ts';
import type { Account } from './account.ts';
import type { Accounts } from './accounts.ts';
import { ADMIN_ROLE, isAdmin } from './role.ts';

const KIND = 'LastAdmin';
const ONE = 'turn';
/** Seconds: far longer than it takes; who has died in between holds nobody up for longer. */
const TURN_TTL = 20;
const WAIT_MS = 50;
const TRIES = 600;

const TEXT = 'this is the last admin who can sign in: make somebody else an admin first';

/** Whether somebody was kept because nobody else is left. */
export const isLastAdmin = (error: unknown): boolean => isGatehouseError(error, 'conflict') && error.message === TEXT;

interface Needs {
  accounts: Accounts;
  records: {
    insertIfAbsent(kind: string, id: string, payload: object, ttl: number): Promise<boolean>;
    destroy(kind: string, id: string): Promise<void>;
  };
}

const counts = (account: Account | undefined): account is Account =>
  account !== undefined && account.state === 'active' && isAdmin(account);

export function keepLastAdmin({ accounts, records }: Needs): Accounts {
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 0; !(await records.insertIfAbsent(KIND, ONE, {}, TURN_TTL)); tries += 1) {
      if (tries === TRIES) throw busy('another admin is being changed; try again');
      await wait(WAIT_MS * Math.random());
    }
    try {
      return await work();
    } finally {
      await records.destroy(KIND, ONE);
    }
  }

  async function isAnotherLeft(id: string): Promise<boolean> {
    const not = [mark('state', 'suspended'), mark('state', 'deleting')];
    const { items } = await accounts.search({ having: [mark('role', ADMIN_ROLE)], not, limit: 2 });
    return items.some((one) => one.id !== id && counts(one));
  }

  /** Does what takes an admin away, unless it is the last one. @throws conflict. */
  async function taking<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (!counts(await accounts.find(id))) return work();
    return inTurn(async () => {
      if (counts(await accounts.find(id)) && !(await isAnotherLeft(id))) throw conflict(TEXT);
      return work();
    });
  }

  return {
    ...accounts,
    edit: (id, change, version) =>
      change.roles === undefined || isAdmin({ roles: change.roles })
        ? accounts.edit(id, change, version)
        : taking(id, () => accounts.edit(id, change, version)),
    setState: (id, state) =>
      state === 'active' ? accounts.setState(id, state) : taking(id, () => accounts.setState(id, state)),
    leave: (id, eraseAt) => taking(id, () => accounts.leave(id, eraseAt)),
    condemn: (id, version) => taking(id, () => accounts.condemn(id, version)),
    delete: (id) => taking(id, () => accounts.delete(id)),
  };
}
