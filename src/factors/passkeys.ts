/** The use cases of passkeys, for the sign-in pages, the person's own page and the command line. */
import { isoNow } from '../kernel/clock.ts';
import { conflict, invalidInput, isGatehouseError, notFound } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Challenge, Challenges } from './challenges.ts';
import type { Factors } from './factors.ts';
import { makerName, PASSKEY_NAME_MAX } from './passkey.ts';
import type { Passkey } from './passkey.ts';
import type { PasskeyStore } from './passkey-store.ts';
import {
  assertionOptions,
  challengeOf,
  readAssertion,
  readRegistration,
  registrationOptions,
  verifyAssertion,
  verifyRegistration,
} from './webauthn.ts';
import type { Assertion, Holder, Registered, RelyingParty } from './webauthn.ts';

/** More than anybody has, and few enough for one page. */
export const MOST_PASSKEYS = 25;

/**
 * Why a passkey did not do. `stale`: its challenge was used before, is too old or of another browser. `unknown`: it belongs to
 * nobody who may come in here. `refused`: what it signed does not hold. `taken`: it is registered already.
 */
export type PasskeyProblem = 'stale' | 'unknown' | 'refused' | 'taken';

export type PasskeyAnswer = { passkey: Passkey } | { problem: PasskeyProblem };

/** Who takes a passkey away. */
type Remover = 'person' | 'admin';

/** What a browser is given to ask its authenticator with. */
export type CeremonyOptions = object;

/**
 * Options come with a challenge that is good once, for five minutes, for the same `binding`: what only this browser's journey
 * has, such as the uid of an interaction. `answer` is the JSON text that a browser gave. All that read one throw invalid_input
 * where it is not that.
 */
export interface Passkeys {
  /** For a person who is not known yet: says nothing about anybody. */
  signInOptions(binding: string): Promise<CeremonyOptions>;
  /** Whose passkey it is: `account_id`, with the person verified by their device. Notes the use and the sign-in. */
  signIn(binding: string, answer: string): Promise<PasskeyAnswer>;
  /** For a person who is known: a second factor, or a proof that it is still them. */
  confirmOptions(binding: string, accountId: string): Promise<CeremonyOptions>;
  /** Whether it is a passkey of this very account. */
  confirm(binding: string, accountId: string, answer: string): Promise<PasskeyAnswer>;
  /** For one more passkey. `holder.id` may be an account yet to be made. @throws conflict when they have too many. */
  registrationOptions(binding: string, holder: Holder): Promise<CeremonyOptions>;
  /** Adds a passkey. @param name what the person calls it; that of its maker otherwise. */
  register(binding: string, accountId: string, answer: string, name?: string): Promise<PasskeyAnswer>;
  /** Takes back a passkey whose account did not come to be. */
  forget(passkey: Passkey): Promise<void>;
  /** Oldest first. */
  list(accountId: string): Promise<Passkey[]>;
  /** Whether their only passkey is their only way in: `remove` would refuse. */
  isLastWayIn(accountId: string): Promise<boolean>;
  /** @throws invalid_input, not_found. */
  rename(accountId: string, credentialId: string, name: string): Promise<void>;
  /** @throws conflict when it is the last way into the account, or the last factor where one is required; not_found. */
  remove(accountId: string, credentialId: string, by?: Remover): Promise<void>;
}

interface Needs {
  rp: RelyingParty;
  store: PasskeyStore;
  challenges: Challenges;
  accounts: {
    find(id: string): Promise<{ id: string; roles: string[]; state: string } | undefined>;
    /** @returns undefined when the account is gone or suspended. */
    noteSignIn(id: string): Promise<object | undefined>;
  };
  factors: Pick<Factors, 'removing' | 'changed'>;
  /** Whether a person comes in without any passkey, by password or by an upstream. */
  hasOtherWayIn(accountId: string): Promise<boolean>;
  audit: {
    record(
      type: 'passkey_added' | 'passkey_removed' | 'passkey_renamed' | 'passkey_copied',
      accountId: string,
      about: { actor?: Remover; detail: { passkey: string } },
    ): Promise<void>;
  };
  log: Logger;
}

const LAST_WAY = 'the last way into an account cannot be removed';

function checkedName(name: string): string {
  const trimmed = name.normalize('NFC').trim();
  if (trimmed === '') throw invalidInput('The name must not be empty.', 'name');
  if (trimmed.length > PASSKEY_NAME_MAX)
    throw invalidInput(`The name must have at most ${PASSKEY_NAME_MAX} characters.`, 'name');
  return trimmed;
}

/** A discoverable passkey says whose it is; nobody else's says so (Web Authentication, section 7.2, step 6). */
const isOf = ({ response: { userHandle } }: Assertion, { account_id }: Passkey, needed: boolean): boolean =>
  userHandle ? Buffer.from(userHandle, 'base64url').toString('utf8') === account_id : !needed;

export function createPasskeys({
  rp,
  store,
  challenges,
  accounts,
  factors,
  hasOtherWayIn,
  audit,
  log,
}: Needs): Passkeys {
  const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

  /** @returns whether everything about the answer holds, its counter included. */
  async function holds(passkey: Passkey, challenge: Challenge, assertion: Assertion): Promise<boolean> {
    const { account_id, credential_id } = passkey;
    let seen;
    try {
      seen = await verifyAssertion(rp, challenge.value, passkey, assertion);
    } catch (error) {
      log.info({ account_id, reason: reasonOf(error) }, 'a passkey was refused');
      return false;
    }
    if (await store.noteUse(credential_id, { ...seen, last_used_at: isoNow() })) return true;
    if (await store.find(credential_id)) {
      await audit.record('passkey_copied', account_id, { detail: { passkey: passkey.name } });
      log.warn(
        { event: 'passkey_counter', account_id, passkey: passkey.name, seen: seen.counter, known: passkey.counter },
        'a passkey was refused because its counter went back: there may be a copy of it',
      );
    }
    return false;
  }

  async function check(
    binding: string,
    purpose: 'sign_in' | 'second_factor',
    answer: string,
    accountId?: string,
  ): Promise<PasskeyAnswer> {
    const assertion = readAssertion(answer);
    const challenge = await challenges.take(binding, purpose, challengeOf(assertion));
    if (!challenge || (accountId !== undefined && challenge.account_id !== accountId)) return { problem: 'stale' };
    const passkey = await store.find(assertion.id);
    if (!passkey || !isOf(assertion, passkey, purpose === 'sign_in')) return { problem: 'unknown' };
    if (accountId !== undefined && passkey.account_id !== accountId) return { problem: 'unknown' };
    const account = await accounts.find(passkey.account_id);
    // Whoever wants their account deleted may sign in to keep it.
    if (!account || account.state === 'suspended') return { problem: 'unknown' };
    return (await holds(passkey, challenge, assertion)) ? { passkey } : { problem: 'refused' };
  }

  async function checkRoom(accountId: string): Promise<Passkey[]> {
    const known = await store.listByAccount(accountId);
    if (known.length >= MOST_PASSKEYS) throw conflict(`there can be at most ${MOST_PASSKEYS} passkeys`);
    return known;
  }

  async function insert(registered: Registered, accountId: string, name: string | undefined): Promise<PasskeyAnswer> {
    const passkey: Passkey = {
      ...registered,
      account_id: accountId,
      name: name ?? makerName(registered.aaguid),
      created_at: isoNow(),
      last_used_at: null,
    };
    try {
      await store.insert(passkey);
      await factors.changed(accountId);
      await audit.record('passkey_added', accountId, { detail: { passkey: passkey.name } });
      return { passkey };
    } catch (error) {
      if (!isGatehouseError(error, 'duplicate')) throw error;
      return { problem: 'taken' };
    }
  }

  const isWayIn = async (accountId: string, left: Passkey[]) => left.length > 0 || hasOtherWayIn(accountId);

  /** @returns what was taken away, if there was one. @throws conflict when it is the last way into the account. */
  async function takeAway(accountId: string, credentialId: string): Promise<Passkey | undefined> {
    const all = await store.listByAccount(accountId);
    const passkey = all.find(({ credential_id }) => credential_id === credentialId);
    if (!passkey) return undefined;
    const left = all.filter((one) => one !== passkey);
    if (!(await isWayIn(accountId, left))) throw conflict(LAST_WAY);
    if (!(await store.delete(credentialId, accountId))) return undefined;
    // Of two ways that are taken away at once each may have counted on the other.
    if (await isWayIn(accountId, await store.listByAccount(accountId))) return passkey;
    await store.insert(passkey);
    throw conflict(LAST_WAY);
  }

  return {
    async signInOptions(binding) {
      return assertionOptions(rp, await challenges.issue(binding, { purpose: 'sign_in', account_id: null }), []);
    },

    async signIn(binding, answer) {
      const result = await check(binding, 'sign_in', answer);
      if ('problem' in result) return result;
      return (await accounts.noteSignIn(result.passkey.account_id)) ? result : { problem: 'unknown' };
    },

    async confirmOptions(binding, accountId) {
      const value = await challenges.issue(binding, { purpose: 'second_factor', account_id: accountId });
      return assertionOptions(rp, value, await store.listByAccount(accountId));
    },

    confirm: (binding, accountId, answer) => check(binding, 'second_factor', answer, accountId),

    async registrationOptions(binding, holder) {
      const known = await checkRoom(holder.id);
      const value = await challenges.issue(binding, { purpose: 'register', account_id: holder.id });
      return registrationOptions(rp, value, holder, known);
    },

    async register(binding, accountId, answer, name) {
      const chosen = name === undefined ? undefined : checkedName(name);
      const registration = readRegistration(answer);
      const challenge = await challenges.take(binding, 'register', challengeOf(registration));
      if (challenge?.account_id !== accountId) return { problem: 'stale' };
      await checkRoom(accountId);
      try {
        return await insert(await verifyRegistration(rp, challenge.value, registration), accountId, chosen);
      } catch (error) {
        if (isGatehouseError(error)) throw error;
        log.info({ account_id: accountId, reason: reasonOf(error) }, 'a new passkey was refused');
        return { problem: 'refused' };
      }
    },

    forget: async ({ credential_id, account_id }) => void (await store.delete(credential_id, account_id)),

    list: (accountId) => store.listByAccount(accountId),

    isLastWayIn: async (accountId) =>
      (await store.listByAccount(accountId)).length === 1 && !(await isWayIn(accountId, [])),

    async rename(accountId, credentialId, name) {
      const passkey = checkedName(name);
      if (!(await store.rename(credentialId, accountId, passkey))) throw notFound('there is no such passkey');
      await audit.record('passkey_renamed', accountId, { detail: { passkey } });
    },

    async remove(accountId, credentialId, by = 'person') {
      const account = await accounts.find(accountId);
      const taken = account && (await factors.removing(account, () => takeAway(accountId, credentialId)));
      if (!taken) throw notFound('there is no such passkey');
      await factors.changed(accountId);
      await audit.record('passkey_removed', accountId, { actor: by, detail: { passkey: taken.name } });
    },
  };
}
