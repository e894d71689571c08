/** People, as admins handle them. The rules of accounts are in their rooms; here is who may do what to whom, and what belongs together. */
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { NewAccount } from '../accounts/new-account.ts';
import { assigned } from '../accounts/assigning.ts';
import type { Reassignment } from '../accounts/assigning.ts';
import { mustBeVersion } from '../accounts/editing.ts';
import type { AccountChange } from '../accounts/editing.ts';
import { ADMIN_ROLE, isAdmin } from '../accounts/role.ts';
import { ANY_LANGUAGE } from '../accounts/profile.ts';
import type { Audit } from '../audit/audit.ts';
import type { Consent } from '../consents/consent.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Factors } from '../factors/factors.ts';
import { publicPasskey } from '../factors/passkey.ts';
import type { PasskeyStore } from '../factors/passkey-store.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Identity } from '../federation/identity.ts';
import { conflict, forbidden, isGatehouseError, notFound } from '../kernel/errors.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import { mark } from '../kernel/search.ts';
import type { Access } from '../oidc/access.ts';
import type { SessionOfSomebody, SessionOverview, Sessions } from '../oidc/sessions.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Verification } from '../verification/verification.ts';
import { mustBeGroups } from './groups.ts';
import { mustHave } from './principal.ts';
import type { Principal } from './principal.ts';

export type State = Account['state'];

export interface PeopleSearch extends Search {
  role?: string | undefined;
  group?: string | undefined;
  state?: State | undefined;
}

/** All that a person proves who they are with, without what it takes to do so. */
export interface SignInMethods {
  has_password: boolean;
  identities: Identity[];
  passkeys: ReturnType<typeof publicPasskey>[];
  second_factors: Awaited<ReturnType<Factors['details']>> & {
    remembered_devices: Awaited<ReturnType<Factors['devices']['list']>>;
  };
}

/** Whoever is named, is by `sub` or by e-mail. All throw not_found, and forbidden where an admin is protected. */
export interface People {
  search(search: PeopleSearch): Promise<Page<Account>>;
  get(who: string): Promise<Account>;
  /** @throws invalid_input naming the field, duplicate, forbidden for a role that whoever asks may not give. */
  create(by: Principal, input: NewAccount): Promise<Account>;
  /** @param version that the admin has seen. @throws invalid_input naming the field, stale. */
  edit(by: Principal, who: string, change: AccountChange, version?: number): Promise<Account>;
  /**
   * Gives and takes away roles and groups, whatever else changes at the moment.
   * @throws invalid_input naming the field, forbidden for a role that whoever asks may not give.
   */
  assign(by: Principal, who: string, change: Reassignment): Promise<Account>;
  /** Ends what acts in their name, on every instance. */
  suspend(by: Principal, who: string): Promise<Account>;
  resume(by: Principal, who: string): Promise<Account>;
  /** Forgets wrong tries and ends lock-outs. @returns how many counters there were. */
  unlock(by: Principal, who: string): Promise<{ account: Account; counters_cleared: number }>;
  /** They are told by mail; sessions and tokens end. @throws invalid_input. */
  setPassword(by: Principal, who: string, password: string): Promise<Account>;
  /** Whoever signs in with the password chooses another one before they go on; sessions go on. @throws conflict where there is none. */
  demandNewPassword(by: Principal, who: string): Promise<Account>;
  /** Takes the demand back: the password that they have will do. @throws conflict where none is demanded. */
  waiveNewPassword(by: Principal, who: string): Promise<Account>;
  /** Mails the person a link by which they set a password themselves. @throws conflict where no mail can be sent. */
  mailPasswordReset(by: Principal, who: string): Promise<Account>;
  /**
   * Mails a link to the new address, or where it is known to be theirs changes it at once.
   * @throws invalid_input, duplicate, conflict where no mail can be sent.
   */
  changeEmail(by: Principal, who: string, email: string, options: { confirmed: boolean }): Promise<Account>;
  signInMethods(who: string): Promise<SignInMethods>;
  /** Second factors, passkeys and remembered devices go; sessions and tokens end. */
  resetFactors(by: Principal, who: string): Promise<Account>;
  /** @throws not_found, conflict when it is the last way in or there are no passkeys. */
  removePasskey(by: Principal, who: string, passkeyId: string): Promise<Account>;
  consents(who: string): Promise<Consent[]>;
  /** @throws not_found also where nothing was allowed. */
  withdrawConsent(by: Principal, who: string, clientId: string): Promise<Account>;
  sessions(who: string): Promise<SessionOverview[]>;
  /** Of everybody, those used last first. */
  allSessions(page: PageRequest): Promise<Page<SessionOfSomebody>>;
  /** How many sessions there are, counted up to `most`. */
  countSessions(most: number): Promise<number>;
  /** @throws not_found also where the person has no such session. */
  endSession(by: Principal, who: string, sessionId: string): Promise<void>;
  /** Ends all sessions, with the tokens that end with them. @returns how many sessions. */
  signOut(by: Principal, who: string): Promise<number>;
  /** Erases them with all that descends from them. @param version that the admin has seen. @throws stale. */
  remove(by: Principal, who: string, version?: number): Promise<Account>;
  /** For acts that change nothing which another change could undo. @throws stale where it is not the version any more that the admin has seen. */
  mustBe(who: string, version: number): Promise<void>;
}

interface Needs {
  accounts: Accounts;
  access: Access;
  consents: Pick<ConsentStore, 'listByAccount'>;
  factors: Factors;
  /** Undefined where there are none. */
  passkeys: Pick<Passkeys, 'remove'> | undefined;
  passkeyStore: Pick<PasskeyStore, 'listByAccount'>;
  identitiesOf(accountId: string): Promise<Identity[]>;
  limits: { unlock(email: string): Promise<number> };
  mailAvailable: boolean;
  sessions: Pick<Sessions, 'list' | 'end' | 'all' | 'count'>;
  verification: Pick<Verification, 'emailChanges' | 'notices' | 'recovery'>;
  audit: Pick<Audit, 'record'>;
  book: Pick<RoleBook, 'latest'>;
}

/** Whoever may take an admin's place could do all that the admin may. */
function mayTouch(by: Principal, account: Account): Account {
  if (isAdmin(account)) mustHave(by, 'admins:write', 'this person is an admin');
  return account;
}

const inWords = (names: string[] = []): string => names.join(' ').slice(0, NAMED_MAX);
const rolesOf = ({ roles, groups = [] }: Account): Record<string, string> => ({
  ...(roles.length > 0 ? { roles: inWords(roles) } : {}),
  ...(groups.length > 0 ? { groups: inWords(groups) } : {}),
});
/** Before and after, where something was said of them. */
const rolesChanged = (before: Account, after: Account, change: AccountChange): Record<string, string> => ({
  ...(change.roles ? { roles: `${inWords(before.roles)} → ${inWords(after.roles)}` } : {}),
  ...(change.groups ? { groups: `${inWords(before.groups)} → ${inWords(after.groups)}` } : {}),
});

/** What a change names, never what it says: names and addresses stay out of the record. */
const fieldsOf = ({ claims = {}, ...fields }: AccountChange): string[] => [
  ...Object.keys(fields),
  ...Object.keys(claims),
];

const ATTEMPTS = 5;
const NAMED_MAX = 1000;
const NOT_ACTIVE: State[] = ['suspended', 'deleting'];

export function createPeople(needs: Needs): People {
  const { accounts, access, consents, factors, passkeys, passkeyStore, limits, sessions, verification, audit, book } =
    needs;
  const get = (who: string) => accounts.get(who);
  const getFor = async (by: Principal, who: string) => mayTouch(by, await get(who));

  function mayGive(by: Principal, roles: string[] | undefined): void {
    if (roles?.includes(ADMIN_ROLE)) mustHave(by, 'admins:write', `the role ${ADMIN_ROLE} makes an admin`);
  }

  async function edit(by: Principal, who: string, change: AccountChange, version?: number): Promise<Account> {
    const before = await getFor(by, who);
    mayGive(by, change.roles);
    await mustBeGroups(book, change.groups, before.groups);
    const account = await accounts.edit(before.id, change, version);
    const detail = { fields: fieldsOf(change).join(' '), ...rolesChanged(before, account, change) };
    await audit.record('account_changed', account.id, { actor: 'admin', detail });
    return account;
  }

  return {
    get,
    edit,
    search({ role, group, state, having = [], not = [], ...search }) {
      return accounts.search({
        ...search,
        having: [
          ...having,
          ...(role === undefined ? [] : [mark('role', role)]),
          ...(group === undefined ? [] : [mark('group', group)]),
          ...(state === undefined || state === 'active' ? [] : [mark('state', state)]),
        ],
        not: [...not, ...(state === 'active' ? NOT_ACTIVE.map((other) => mark('state', other)) : [])],
      });
    },
    async create(by, input) {
      mayGive(by, input.roles);
      await mustBeGroups(book, input.groups);
      const account = await accounts.create(input);
      await audit.record('account_created', account.id, { actor: 'admin', detail: rolesOf(account) });
      return account;
    },
    async assign(by, who, change) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const before = await get(who);
        const { roles, groups = [] } = assigned(before, change);
        try {
          return await edit(by, before.id, { roles, groups }, before.version);
        } catch (error) {
          if (!isGatehouseError(error, 'stale')) throw error;
        }
      }
      throw conflict(`${who} keeps changing; try again`);
    },
    async suspend(by, who) {
      const { id } = await getFor(by, who);
      if (by.id === id) throw conflict('nobody suspends themselves');
      return access.suspend(id);
    },
    resume: async (by, who) => access.resume((await getFor(by, who)).id),
    async unlock(by, who) {
      const account = await getFor(by, who);
      const counters_cleared = await limits.unlock(account.email);
      await audit.record('unlocked', account.id, { actor: 'admin' });
      return { account, counters_cleared };
    },
    async setPassword(by, who, password) {
      const account = await access.setPassword((await getFor(by, who)).id, password);
      await verification.notices.passwordChanged(account, ANY_LANGUAGE);
      return account;
    },
    async demandNewPassword(by, who) {
      const account = await accounts.demandNewPassword((await getFor(by, who)).id);
      await audit.record('password_change_demanded', account.id, { actor: 'admin' });
      return account;
    },
    async waiveNewPassword(by, who) {
      const account = await accounts.waiveNewPassword((await getFor(by, who)).id);
      await audit.record('password_change_waived', account.id, { actor: 'admin' });
      return account;
    },
    async mailPasswordReset(by, who) {
      const account = await getFor(by, who);
      if (!needs.mailAvailable) throw conflict('no mail can be sent: mail.smtp_url is not set');
      await verification.recovery.mailLink(account, account.claims.locale ?? ANY_LANGUAGE);
      await audit.record('password_reset_mailed', account.id, { actor: 'admin' });
      return account;
    },
    async changeEmail(by, who, email, { confirmed }) {
      const account = await getFor(by, who);
      if (confirmed) return verification.emailChanges.change(account, email, ANY_LANGUAGE);
      if (!needs.mailAvailable) throw conflict('no mail can be sent: mail.smtp_url is not set');
      await verification.emailChanges.request(account, email, ANY_LANGUAGE);
      return account;
    },
    async signInMethods(who) {
      const { id, password_hash } = await get(who);
      return {
        has_password: password_hash !== null,
        identities: await needs.identitiesOf(id),
        passkeys: (await passkeyStore.listByAccount(id)).map(publicPasskey),
        second_factors: { ...(await factors.details(id)), remembered_devices: await factors.devices.list(id) },
      };
    },
    async resetFactors(by, who) {
      const account = await getFor(by, who);
      await access.resetFactors(account.id);
      return account;
    },
    async removePasskey(by, who, passkeyId) {
      const account = await getFor(by, who);
      if (!passkeys) throw conflict('there are no passkeys here: see passkeys.enabled and issuer');
      await passkeys.remove(account.id, passkeyId, 'admin');
      return account;
    },
    consents: async (who) => consents.listByAccount((await get(who)).id),
    async withdrawConsent(by, who, clientId) {
      const account = await getFor(by, who);
      if (!(await access.withdrawConsent(account.id, clientId)))
        throw notFound(`${who} has allowed ${clientId} nothing`);
      await audit.record('app_withdrawn', account.id, { actor: 'admin', detail: { client_id: clientId } });
      return account;
    },
    sessions: async (who) => sessions.list((await get(who)).id),
    allSessions: (page) => sessions.all(page),
    countSessions: (most) => sessions.count(most),
    async endSession(_by, who, sessionId) {
      const { id } = await get(who);
      if (!(await sessions.end(id, sessionId))) throw notFound('the person has no such session');
      await audit.record('session_ended', id, { actor: 'admin' });
    },
    async signOut(_by, who) {
      const { id } = await get(who);
      const open = await sessions.list(id);
      for (const session of open) await sessions.end(id, session.id);
      await audit.record('sessions_ended', id, { actor: 'admin' });
      return open.length;
    },
    async mustBe(who, version) {
      mustBeVersion(await get(who), version);
    },
    async remove(by, who, version) {
      const account = await getFor(by, who);
      if (by.id === account.id) throw forbidden('nobody deletes themselves here: the account page does');
      await access.remove(account.id, version);
      return account;
    },
  };
}
