/** The address that an account is found by: whose it is, whether it is proved, and another in its place. */
import { duplicate, invalidInput } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import type { Changing } from './changing.ts';
import { isEmailAddress, normalizeEmail } from './email.ts';
import { withPassword } from './forced-password.ts';
import type { AccountStore } from './store.ts';

/** A change of the address under which a person is found. */
export interface EmailUpdate {
  /** What the address must still be, normalised. */
  from: string;
  to: string;
}

export interface Addresses {
  /** Whether an address can become that of the account `id`. */
  isFree(email: string, id: string): Promise<boolean>;
  /** @throws invalid_input, duplicate, conflict when the address is not `from` any more. */
  changeEmail(id: string, update: EmailUpdate, options: { verified: boolean; keepPassword: boolean }): Promise<Account>;
  /** The address was proved. @throws conflict when the account has another one by now. */
  markEmailVerified(id: string, email: string): Promise<Account>;
  /**
   * The address was proved by somebody who need not be the one that made the account: a password set before any proof goes.
   * @throws conflict when the account has another address by now.
   */
  claim(id: string, email: string): Promise<Account>;
  /** @throws duplicate when the address cannot become that of the account `id`. */
  checkFree(email: string, id: string): Promise<void>;
}

interface Needs {
  store: Pick<AccountStore, 'findByEmail'>;
  changing: Pick<Changing, 'changeWhileAt'>;
  /** Whose address it was until just now, who may still want it back: nobody else gets it meanwhile. */
  reservedFor?: (emailNormalized: string) => Promise<string | undefined>;
}

export function createAddresses({
  store,
  changing: { changeWhileAt },
  reservedFor = async () => undefined,
}: Needs): Addresses {
  async function isFree(email: string, id: string): Promise<boolean> {
    const holder = (await store.findByEmail(normalizeEmail(email)))?.id ?? (await reservedFor(normalizeEmail(email)));
    return holder === undefined || holder === id;
  }

  async function checkFree(email: string, id: string): Promise<void> {
    if (!(await isFree(email, id))) throw duplicate(`${email} is taken`, 'email');
  }

  return {
    isFree,

    async changeEmail(id, { from, to }, { verified, keepPassword }) {
      const email = to.trim();
      if (!isEmailAddress(email)) throw invalidInput(`${email} is not an e-mail address`, 'email');
      await checkFree(email, id);
      return changeWhileAt(id, from, (current) => ({
        ...(keepPassword ? current : withPassword(current, null)),
        email,
        email_normalized: normalizeEmail(email),
        email_verified: verified,
      }));
    },

    markEmailVerified: (id, email) => changeWhileAt(id, email, (current) => ({ ...current, email_verified: true })),

    claim: (id, email) =>
      changeWhileAt(id, email, (current) =>
        current.email_verified ? current : { ...withPassword(current, null), email_verified: true },
      ),
    checkFree,
  };
}
