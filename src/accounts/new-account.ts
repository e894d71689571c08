/** Making an account. */
import { isoNow } from '../kernel/clock.ts';
import { invalidInput } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Account } from './account.ts';
import type { Addresses } from './addresses.ts';
import { checkAssignment } from './assigning.ts';
import { isEmailAddress, normalizeEmail } from './email.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { AccountPasswords } from './passwords.ts';
import { CONTROL, NAME_MAX, normalizeName } from './profile.ts';
import type { AccountStore } from './store.ts';

export interface NewAccount {
  email: string;
  name: string;
  password?: string | undefined;
  roles?: string[] | undefined;
  groups?: string[] | undefined;
  email_verified?: boolean | undefined;
  /** Made by `newAccountId`, where the account was promised before it could exist. */
  id?: string | undefined;
  picture?: string | null | undefined;
  /** In place of `password`, where that was checked and hashed before. */
  password_hash?: string | undefined;
}

export const newAccountId = (): string => newId('usr_');

function checkInput({ email, name, roles, groups }: NewAccount): void {
  if (!isEmailAddress(email.trim())) throw invalidInput(`${email} is not an e-mail address`, 'email');
  if (name.trim() === '') throw invalidInput('name must not be empty', 'name');
  if (CONTROL.test(name)) throw invalidInput('name must not have invisible control characters', 'name');
  if (name.length > NAME_MAX) throw invalidInput(`name must have at most ${NAME_MAX} characters`, 'name');
  checkAssignment({ roles, groups });
}

interface Needs {
  store: Pick<AccountStore, 'insert'>;
  hasher: Pick<PasswordHasher, 'hash'>;
  checkPassword: AccountPasswords['checkPassword'];
  checkFree: Addresses['checkFree'];
}

/** @returns what makes one. */
export const accountMaker =
  ({ store, hasher, checkPassword, checkFree }: Needs) =>
  async (input: NewAccount): Promise<Account> => {
    checkInput(input);
    const email = input.email.trim();
    const id = input.id ?? newAccountId();
    if (input.password !== undefined) await checkPassword(input.password, email);
    // Its own id is taken too: of callers that make one promised account at once, one does.
    await checkFree(email, '');
    const now = isoNow();
    const account: Account = {
      id,
      email,
      email_normalized: normalizeEmail(email),
      email_verified: input.email_verified ?? false,
      name: normalizeName(input.name),
      picture: input.picture ?? null,
      claims: {},
      roles: [...new Set(input.roles ?? [])],
      ...(input.groups?.length ? { groups: [...new Set(input.groups)] } : {}),
      state: 'active',
      password_hash: input.password === undefined ? (input.password_hash ?? null) : await hasher.hash(input.password),
      created_at: now,
      updated_at: now,
      last_sign_in_at: null,
      version: 1,
    };
    await store.insert(account);
    return account;
  };
