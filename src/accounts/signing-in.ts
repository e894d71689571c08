/** Who signs in, and when they last did. */
import { isoNow } from '../kernel/clock.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Account } from './account.ts';
import type { Changing } from './changing.ts';
import { normalizeEmail } from './email.ts';
import { isClosed } from './leaving.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { AccountStore } from './store.ts';

export interface SigningIn {
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
}

interface Needs {
  store: Pick<AccountStore, 'find' | 'findByEmail'>;
  hasher: PasswordHasher;
  changing: Pick<Changing, 'change'>;
}

export function createSigningIn({ store, hasher, changing: { change } }: Needs): SigningIn {
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
  };
}
