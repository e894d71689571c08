/** A password that is good for nothing but choosing another one, because an admin said so. */
import { conflict } from '../kernel/errors.ts';
import { isoNow } from '../kernel/clock.ts';
import type { Account } from './account.ts';

/** With another password, or none: whatever was asked about the one before is done. */
export function withPassword(account: Account, password_hash: string | null): Account {
  const { must_change_password, ...rest } = account;
  return { ...rest, password_hash, ...(must_change_password ? { must_change_password: false } : {}) };
}

/** @throws conflict where there is no password. */
export function withPasswordToChange(account: Account): Account {
  if (account.password_hash === null) throw conflict(`${account.id} has no password`);
  return { ...account, must_change_password: true, updated_at: isoNow() };
}

/** The demand is taken back. @throws conflict where there is none. */
export function withoutPasswordToChange(account: Account): Account {
  if (!account.must_change_password) throw conflict(`no new password is demanded of ${account.id}`);
  return { ...account, must_change_password: false, updated_at: isoNow() };
}

/** Of two who choose at once, and of whoever comes after another change, one is refused. @throws conflict. */
export function withChosenPassword(account: Account, seen: string | null, password_hash: string): Account {
  if (!account.must_change_password || account.password_hash !== seen)
    throw conflict(`the password of ${account.id} was changed meanwhile`);
  return { ...withPassword(account, password_hash), updated_at: isoNow() };
}
