/** The use cases of accounts: the same functions serve the sign-in pages and the command line. */
import { conflict, duplicate, invalidInput, isGatehouseError, notFound } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Account } from './account.ts';
import { isEmailAddress, normalizeEmail } from './email.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { PASSWORD_MAX, PASSWORD_MIN, passwordProblem } from './password-policy.ts';
import type { PasswordProblem } from './password-policy.ts';
import type { AccountStore } from './store.ts';

export const NAME_MAX = 200;
const ROLE = /^[\w.:-]{1,100}$/;
const UPDATE_ATTEMPTS = 5;

export interface NewAccount {
  email: string;
  name: string;
  password?: string | undefined;
  roles?: string[] | undefined;
  email_verified?: boolean | undefined;
}

export interface Accounts {
  /** @throws invalid_input naming the field, duplicate when the e-mail is taken. */
  create(input: NewAccount): Promise<Account>;
  find(id: string): Promise<Account | undefined>;
  findByEmail(email: string): Promise<Account | undefined>;
  /** By e-mail or by id. @throws not_found. */
  get(emailOrId: string): Promise<Account>;
  list(page: PageRequest): Promise<Page<Account>>;
  /**
   * The active account that this e-mail and password belong to, or undefined: unknown, wrong and suspended are one answer in
   * one time. Notes the sign-in, and hashes the password anew when the cost has grown.
   */
  authenticate(email: string, password: string): Promise<Account | undefined>;
  setPassword(id: string, password: string): Promise<Account>;
  setState(id: string, state: Account['state']): Promise<Account>;
  /** @returns whether there was one. */
  delete(id: string): Promise<boolean>;
}

const PASSWORD_TEXT: Record<PasswordProblem, string> = {
  short: `password must have at least ${PASSWORD_MIN} characters`,
  long: `password must have at most ${PASSWORD_MAX} characters`,
  common: 'password is among the most common ones',
  contains_email: 'password must not contain the name in the e-mail address',
};

function checkPassword(password: string, email: string): void {
  const problem = passwordProblem(password, email);
  if (problem) throw invalidInput(PASSWORD_TEXT[problem], 'password');
}

function checkInput({ email, name, roles = [] }: NewAccount): void {
  if (!isEmailAddress(email.trim())) throw invalidInput(`${email} is not an e-mail address`, 'email');
  if (name.trim() === '') throw invalidInput('name must not be empty', 'name');
  if (name.length > NAME_MAX) throw invalidInput(`name must have at most ${NAME_MAX} characters`, 'name');
  const badRole = roles.find((role) => !ROLE.test(role));
  if (badRole !== undefined) throw invalidInput(`role ${badRole} may only have letters, digits and . _ : -`, 'roles');
}

export function createAccounts({ store, hasher }: { store: AccountStore; hasher: PasswordHasher }): Accounts {
  /** Applies `change` to the newest version, again when somebody else was faster. */
  async function change(id: string, apply: (account: Account) => Account): Promise<Account> {
    for (let attempt = 0; attempt < UPDATE_ATTEMPTS; attempt += 1) {
      const account = await store.find(id);
      if (!account) throw notFound(`no account has the id ${id}`);
      try {
        return await store.update(apply(account));
      } catch (error) {
        if (!isGatehouseError(error, 'conflict')) throw error;
      }
    }
    throw conflict(`the account ${id} keeps changing; try again`);
  }

  /** @returns undefined when the account was suspended, or its password changed, while the password was being checked. */
  async function noteSignIn(account: Account, password: string): Promise<Account | undefined> {
    const rehashed = hasher.needsRehash(account.password_hash!) ? await hasher.hash(password) : undefined;
    let valid = true;
    try {
      const noted = await change(account.id, (current) => {
        valid = current.state === 'active' && current.password_hash === account.password_hash;
        if (!valid) return current;
        return { ...current, last_sign_in_at: isoNow(), password_hash: rehashed ?? current.password_hash };
      });
      return valid ? noted : undefined;
    } catch (error) {
      // Many sign-ins of one person at once: the date is not worth a failure.
      if (!isGatehouseError(error, 'conflict')) throw error;
      return valid ? account : undefined;
    }
  }

  return {
    async create(input) {
      checkInput(input);
      const email = input.email.trim();
      const email_normalized = normalizeEmail(email);
      if (input.password !== undefined) checkPassword(input.password, email);
      if (await store.findByEmail(email_normalized)) throw duplicate(`${email} is taken`, 'email');
      const now = isoNow();
      const account: Account = {
        id: newId('usr_'),
        email,
        email_normalized,
        email_verified: input.email_verified ?? false,
        name: input.name.trim(),
        picture: null,
        claims: {},
        roles: [...new Set(input.roles ?? [])],
        state: 'active',
        password_hash: input.password === undefined ? null : await hasher.hash(input.password),
        created_at: now,
        updated_at: now,
        last_sign_in_at: null,
        version: 1,
      };
      await store.insert(account);
      return account;
    },

    find: (id) => store.find(id),
    findByEmail: (email) => store.findByEmail(normalizeEmail(email)),

    async get(emailOrId) {
      const account = emailOrId.includes('@')
        ? await store.findByEmail(normalizeEmail(emailOrId))
        : await store.find(emailOrId);
      if (!account) throw notFound(`no account is ${emailOrId}`);
      return account;
    },

    list: (page) => store.list(page),

    async authenticate(email, password) {
      const account = await store.findByEmail(normalizeEmail(email));
      const matches = await hasher.verify(password, account?.password_hash ?? null);
      if (!matches || account?.state !== 'active') return undefined;
      return noteSignIn(account, password);
    },

    async setPassword(id, password) {
      const account = await store.find(id);
      if (!account) throw notFound(`no account has the id ${id}`);
      checkPassword(password, account.email);
      const password_hash = await hasher.hash(password);
      return change(id, (current) => ({ ...current, password_hash, updated_at: isoNow() }));
    },

    setState: (id, state) => change(id, (current) => ({ ...current, state, updated_at: isoNow() })),
    delete: (id) => store.delete(id),
  };
}
