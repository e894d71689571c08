/** The use cases of accounts: the same functions serve the sign-in pages and the command line. */
import { isoNow } from '../kernel/clock.ts';
import { invalidInput, notFound } from '../kernel/errors.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import type { Account } from './account.ts';
import { createAddresses } from './addresses.ts';
import type { Addresses } from './addresses.ts';
import { assigned } from './assigning.ts';
import type { Reassignment } from './assigning.ts';
import type { IsBreached } from './breached-passwords.ts';
import { createChanging } from './changing.ts';
import { edited, mustBeVersion } from './editing.ts';
import type { AccountChange } from './editing.ts';
import { normalizeEmail } from './email.ts';
import { createLeaving } from './leaving.ts';
import type { Leaving } from './leaving.ts';
import { accountMaker } from './new-account.ts';
import type { NewAccount } from './new-account.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { createPasswords } from './passwords.ts';
import type { AccountPasswords } from './passwords.ts';
import { profileProblems, withProfile } from './profile.ts';
import type { ProfileValues } from './profile.ts';
import { createSigningIn } from './signing-in.ts';
import type { SigningIn } from './signing-in.ts';
import type { AccountStore } from './store.ts';

export interface Accounts extends AccountPasswords, SigningIn, Omit<Addresses, 'checkFree'>, Leaving {
  /** @throws invalid_input naming the field, duplicate when the e-mail is taken. */
  create(input: NewAccount): Promise<Account>;
  find(id: string): Promise<Account | undefined>;
  findByEmail(email: string): Promise<Account | undefined>;
  /** By e-mail or by id. @throws not_found. */
  get(emailOrId: string): Promise<Account>;
  list(page: PageRequest): Promise<Page<Account>>;
  search(search: Search): Promise<Page<Account>>;
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
}

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

export function createAccounts(needs: Needs): Accounts {
  const { store } = needs;
  const changing = createChanging(store);
  const { change } = changing;
  const passwords = createPasswords({ ...needs, changing });
  const { checkFree, ...addresses } = createAddresses({ ...needs, changing });

  return {
    ...passwords,
    ...createSigningIn({ ...needs, changing }),
    ...addresses,
    ...createLeaving({ store, changing }),
    create: accountMaker({ ...needs, ...passwords, checkFree }),
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

    async setProfile(id, values) {
      const [problem] = Object.entries(profileProblems(values));
      if (problem) throw invalidInput(`${problem[0]}: ${problem[1]}`, problem[0]);
      return change(id, (current) => ({ ...withProfile(current, values), updated_at: isoNow() }));
    },

    setLocale: (id, locale) =>
      change(id, (current) => ({ ...current, claims: { ...current.claims, locale }, updated_at: isoNow() })),

    edit: (id, what, version) =>
      change(id, (current) => {
        mustBeVersion(current, version);
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
  };
}
