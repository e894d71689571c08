/** The use cases of accounts: the same functions serve the sign-in pages and the command line. */
import { conflict, duplicate, invalidInput, isGatehouseError, notFound, stale } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import type { Account } from './account.ts';
import { assigned, checkAssignment } from './assigning.ts';
import type { Reassignment } from './assigning.ts';
import type { IsBreached } from './breached-passwords.ts';
import { edited } from './editing.ts';
import type { AccountChange } from './editing.ts';
import { isEmailAddress, normalizeEmail } from './email.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { PASSWORD_MAX, PASSWORD_MIN, passwordProblem } from './password-policy.ts';
import { withChosenPassword, withPassword, withPasswordToChange, withoutPasswordToChange } from './forced-password.ts';
import type { PasswordProblem } from './password-policy.ts';
import { CONTROL, NAME_MAX, normalizeName, profileProblems, withProfile } from './profile.ts';
import type { ProfileValues } from './profile.ts';
import type { AccountStore } from './store.ts';

const UPDATE_ATTEMPTS = 5;

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

/** A change of the address under which a person is found. */
export interface EmailUpdate {
  /** What the address must still be, normalised. */
  from: string;
  to: string;
}

export interface Accounts {
  /** @throws invalid_input naming the field, duplicate when the e-mail is taken. */
  create(input: NewAccount): Promise<Account>;
  find(id: string): Promise<Account | undefined>;
  findByEmail(email: string): Promise<Account | undefined>;
  /** By e-mail or by id. @throws not_found. */
  get(emailOrId: string): Promise<Account>;
  list(page: PageRequest): Promise<Page<Account>>;
  search(search: Search): Promise<Page<Account>>;
  /**
   * The account that this e-mail and password belong to, or undefined: unknown, wrong and suspended are one answer in
   * one time. Notes the sign-in, and hashes the password anew when the cost has grown.
   */
  authenticate(email: string, password: string): Promise<Account | undefined>;
  /**
   * Notes a sign-in that was proved elsewhere, and takes over what the profile there says.
   * @returns the account, or undefined when it is gone or suspended.
   */
  noteSignIn(id: string, profile?: { name?: string; picture?: string }): Promise<Account | undefined>;
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
  /** The address was proved. @throws conflict when the account has another one by now. */
  markEmailVerified(id: string, email: string): Promise<Account>;
  /**
   * The address was proved by somebody who need not be the one that made the account: a password set before any proof goes.
   * @throws conflict when the account has another address by now.
   */
  claim(id: string, email: string): Promise<Account>;
  /** Whether an address can become that of the account `id`. */
  isFree(email: string, id: string): Promise<boolean>;
  /** @throws invalid_input, duplicate, conflict when the address is not `from` any more. */
  changeEmail(id: string, update: EmailUpdate, options: { verified: boolean; keepPassword: boolean }): Promise<Account>;
  /** What the person says of themselves. @throws invalid_input naming the first field that something speaks against. */
  setProfile(id: string, values: ProfileValues): Promise<Account>;
  /** The language the person reads (BCP 47). */
  setLocale(id: string, locale: string): Promise<Account>;
  /**
   * What an admin changes. @param version that the admin has seen; undefined is any.
   * @throws not_found, invalid_input naming the field, stale when it is another version by now.
   */
  edit(id: string, change: AccountChange, version?: number): Promise<Account>;
  /**
   * Gives and takes away roles and groups, whatever else changes at the moment.
   * @param options `durable` false: power loss may take it back, as is good enough before a durable write that tells of it.
   * @throws not_found, invalid_input naming the field.
   */
  assign(id: string, change: Reassignment, options?: { durable: boolean }): Promise<Account>;
  setState(id: string, state: 'active' | 'suspended'): Promise<Account>;
  /** The person wants it deleted: nobody can use it, and at `eraseAt` (ISO 8601) all of it goes unless they keep it before. */
  leave(id: string, eraseAt: string): Promise<Account>;
  /** They want to keep it after all. @returns undefined when it is too late, or nothing was to be deleted. */
  keep(id: string): Promise<Account | undefined>;
  /** From now on nobody can keep it. @returns whether there is such an account. */
  condemn(id: string): Promise<boolean>;
  /** Ids of accounts that are to be erased by now. */
  listToErase(limit: number): Promise<string[]>;
  /** @returns whether there was one. */
  delete(id: string): Promise<boolean>;
}

const PASSWORD_TEXT: Record<Exclude<PasswordProblem, 'short'>, string> = {
  long: `password must have at most ${PASSWORD_MAX} characters`,
  common: 'password is among the most common ones',
  contains_email: 'password must not contain the name in the e-mail address',
  breached: 'password is known from a data breach',
};

function checkInput({ email, name, roles, groups }: NewAccount): void {
  if (!isEmailAddress(email.trim())) throw invalidInput(`${email} is not an e-mail address`, 'email');
  if (name.trim() === '') throw invalidInput('name must not be empty', 'name');
  if (CONTROL.test(name)) throw invalidInput('name must not have invisible control characters', 'name');
  if (name.length > NAME_MAX) throw invalidInput(`name must have at most ${NAME_MAX} characters`, 'name');
  checkAssignment({ roles, groups });
}

export const newAccountId = (): string => newId('usr_');

/** Nobody signs in to it, not even to keep it. */
export const isClosed = ({ state, erase_at }: Pick<Account, 'state' | 'erase_at'>): boolean =>
  state === 'suspended' || (state === 'deleting' && erase_at! <= isoNow());

interface Needs {
  store: AccountStore;
  hasher: PasswordHasher;
  /** Characters that a new password must have. */
  passwordMin?: () => number;
  /** Nobody is asked unless given. */
  isBreached?: IsBreached;
  /** Whose address it was until just now, who may still want it back: nobody else gets it meanwhile. */
  reservedFor?: (emailNormalized: string) => Promise<string | undefined>;
}

export function createAccounts({
  store,
  hasher,
  passwordMin = () => PASSWORD_MIN,
  isBreached = async () => false,
  reservedFor = async () => undefined,
}: Needs): Accounts {
  async function problemOf(password: string, email: string): Promise<PasswordProblem | undefined> {
    return passwordProblem(password, email, passwordMin()) ?? ((await isBreached(password)) ? 'breached' : undefined);
  }

  async function checkPassword(password: string, email: string): Promise<void> {
    const problem = await problemOf(password, email);
    if (problem === 'short') throw invalidInput(`password must have at least ${passwordMin()} characters`, 'password');
    if (problem) throw invalidInput(PASSWORD_TEXT[problem], 'password');
  }

  async function isFree(email: string, id: string): Promise<boolean> {
    const holder = (await store.findByEmail(normalizeEmail(email)))?.id ?? (await reservedFor(normalizeEmail(email)));
    return holder === undefined || holder === id;
  }

  async function checkFree(email: string, id: string): Promise<void> {
    if (!(await isFree(email, id))) throw duplicate(`${email} is taken`, 'email');
  }

  /** Applies `change` to the newest version, again when somebody else was faster. */
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

  /** The same, as long as the account has this address. @throws conflict when it has another one. */
  const changeWhileAt = (id: string, email: string, apply: (account: Account) => Account) =>
    change(id, (current) => {
      if (current.email_normalized !== normalizeEmail(email))
        throw conflict(`the account ${id} has another address by now`);
      return { ...apply(current), updated_at: isoNow() };
    });

  /** @returns undefined when the account was suspended, or its password changed, while the password was being checked. */
  async function noteWithPassword(account: Account, password: string): Promise<Account | undefined> {
    const rehashed = hasher.needsRehash(account.password_hash!) ? await hasher.hash(password) : undefined;
    let valid = true;
    try {
      const note = (current: Account) => {
        valid = current.state !== 'suspended' && current.password_hash === account.password_hash;
        if (!valid) return current;
        return { ...current, last_sign_in_at: isoNow(), password_hash: rehashed ?? current.password_hash };
      };
      const noted = await change(account.id, note, { durable: rehashed !== undefined });
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
    search: (search) => store.search(search),

    async authenticate(email, password) {
      const account = await store.findByEmail(normalizeEmail(email));
      const matches = await hasher.verify(password, account?.password_hash ?? null);
      // Whoever wants their account deleted may sign in to keep it.
      if (!matches || !account || isClosed(account)) return undefined;
      return noteWithPassword(account, password);
    },

    async noteSignIn(id, profile = {}) {
      const account = await store.find(id);
      if (!account || isClosed(account)) return undefined;
      let { state } = account as { state: Account['state'] };
      try {
        const noted = await change(id, (current) => {
          ({ state } = current);
          const same = Object.entries(profile).every(
            ([name, value]) => current[name as keyof typeof profile] === value,
          );
          const updated = same ? {} : { ...profile, updated_at: isoNow() };
          return state !== 'suspended' ? { ...current, ...updated, last_sign_in_at: isoNow() } : current;
        });
        return state !== 'suspended' ? noted : undefined;
      } catch (error) {
        if (isGatehouseError(error, 'not_found')) return undefined;
        // Many sign-ins of one person at once: neither date nor profile is worth a failure.
        if (!isGatehouseError(error, 'conflict')) throw error;
        return state !== 'suspended' ? account : undefined;
      }
    },

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

    markEmailVerified: (id, email) => changeWhileAt(id, email, (current) => ({ ...current, email_verified: true })),

    claim: (id, email) =>
      changeWhileAt(id, email, (current) =>
        current.email_verified ? current : { ...withPassword(current, null), email_verified: true },
      ),

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

    async setProfile(id, values) {
      const [problem] = Object.entries(profileProblems(values));
      if (problem) throw invalidInput(`${problem[0]}: ${problem[1]}`, problem[0]);
      return change(id, (current) => ({ ...withProfile(current, values), updated_at: isoNow() }));
    },

    setLocale: (id, locale) =>
      change(id, (current) => ({ ...current, claims: { ...current.claims, locale }, updated_at: isoNow() })),

    edit: (id, what, version) =>
      change(id, (current) => {
        if (version !== undefined && current.version !== version)
          throw stale(`the account ${id} was changed meanwhile`);
        return { ...edited(current, what), updated_at: isoNow() };
      }),

    assign: (id, what, options) =>
      change(
        id,
        (current) => {
          const next = assigned(current, what);
          return next === current ? current : { ...next, updated_at: isoNow() };
        },
        options,
      ),

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
    async condemn(id) {
      try {
        await change(id, (current) => ({ ...current, state: 'suspended', erase_at: current.erase_at ?? isoNow() }));
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
