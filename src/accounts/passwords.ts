/** The password of an account: what it must be, and who sets it. */
import { isoNow } from '../kernel/clock.ts';
import { invalidInput, notFound } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import type { IsBreached } from './breached-passwords.ts';
import type { Changing } from './changing.ts';
import { withChosenPassword, withPassword, withPasswordToChange, withoutPasswordToChange } from './forced-password.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { PASSWORD_MAX, PASSWORD_MIN, passwordProblem } from './password-policy.ts';
import type { PasswordProblem } from './password-policy.ts';
import type { AccountStore } from './store.ts';

export interface AccountPasswords {
  /** Characters that a new password must have at least, as it is set now. */
  passwordMin(): number;
  /** What speaks against a new password, or undefined. Asks the breach look-up too, where one is configured. */
  passwordProblem(password: string, email: string): Promise<PasswordProblem | undefined>;
  /** @throws invalid_input when something speaks against a new password. */
  checkPassword(password: string, email: string): Promise<void>;
  /** The hash of a password that was checked, for an account to come. @throws busy. */
  hashPassword(password: string): Promise<string>;
  setPassword(id: string, password: string): Promise<Account>;
  /** At the next sign-in by password another one is chosen. @throws not_found, conflict where there is none. */
  demandNewPassword(id: string): Promise<Account>;
  /** Takes that back. @throws not_found, conflict where none is demanded. */
  waiveNewPassword(id: string): Promise<Account>;
  /** Sets the one that was demanded. @throws not_found, invalid_input, conflict where none is demanded, or another came first. */
  chooseNewPassword(id: string, password: string): Promise<Account>;
  /** Whether this is the password of the account. @throws busy. */
  hasPassword(id: string, password: string): Promise<boolean>;
  /**
   * Sets a password that was checked and hashed, for whoever proved to read the mail of `email`: from then on it is verified.
   * @throws conflict when the account has another address by now.
   */
  resetPassword(id: string, password_hash: string, email: string): Promise<Account>;
}

const PASSWORD_TEXT: Record<Exclude<PasswordProblem, 'short'>, string> = {
  long: `password must have at most ${PASSWORD_MAX} characters`,
  common: 'password is among the most common ones',
  contains_email: 'password must not contain the name in the e-mail address',
  breached: 'password is known from a data breach',
};

interface Needs {
  store: Pick<AccountStore, 'find'>;
  hasher: PasswordHasher;
  changing: Changing;
  /** Characters that a new password must have. */
  passwordMin?: () => number;
  /** Nobody is asked unless given. */
  isBreached?: IsBreached;
}

export function createPasswords({
  store,
  hasher,
  changing: { change, changeWhileAt },
  passwordMin = () => PASSWORD_MIN,
  isBreached = async () => false,
}: Needs): AccountPasswords {
  async function problemOf(password: string, email: string): Promise<PasswordProblem | undefined> {
    return passwordProblem(password, email, passwordMin()) ?? ((await isBreached(password)) ? 'breached' : undefined);
  }

  async function checkPassword(password: string, email: string): Promise<void> {
    const problem = await problemOf(password, email);
    if (problem === 'short') throw invalidInput(`password must have at least ${passwordMin()} characters`, 'password');
    if (problem) throw invalidInput(PASSWORD_TEXT[problem], 'password');
  }

  return {
    passwordMin,
    passwordProblem: problemOf,
    checkPassword,
    hashPassword: (password) => hasher.hash(password),

    async setPassword(id, password) {
      const account = await store.find(id);
      if (!account) throw notFound(`no account has the id ${id}`);
      await checkPassword(password, account.email);
      const password_hash = await hasher.hash(password);
      return change(id, (current) => ({ ...withPassword(current, password_hash), updated_at: isoNow() }));
    },

    demandNewPassword: (id) => change(id, withPasswordToChange),
    waiveNewPassword: (id) => change(id, withoutPasswordToChange),

    async chooseNewPassword(id, password) {
      const account = await store.find(id);
      if (!account) throw notFound(`no account has the id ${id}`);
      await checkPassword(password, account.email);
      const password_hash = await hasher.hash(password);
      return change(id, (current) => withChosenPassword(current, account.password_hash, password_hash));
    },

    hasPassword: async (id, password) => hasher.verify(password, (await store.find(id))?.password_hash ?? null),

    resetPassword: (id, password_hash, email) =>
      changeWhileAt(id, email, (current) => ({ ...withPassword(current, password_hash), email_verified: true })),
  };
}
