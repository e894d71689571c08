/** A password as a proof, with its limits: the same wherever a page asks for one. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { PASSWORD_MAX, passwordLength } from '../accounts/password-policy.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { Proof } from './dispatch.ts';
import type { Visitor } from './visitor.ts';

export interface PasswordFailure {
  /** Key of the catalogue. */
  error: string;
  status: number;
  /** Minutes to wait, where the error is about that. */
  wait: number;
}

export type TryPassword = (
  ctx: Context,
  email: string,
  password: string,
) => Promise<{ proof: Proof } | PasswordFailure>;

interface Needs {
  accounts: { authenticate: Accounts['authenticate'] };
  limits: Limits;
  visitor: Visitor;
}

const failed = (error: string, status: number, wait = 0): PasswordFailure => ({ error, status, wait });

const proved = ({ id }: Account): { proof: Proof } => ({
  proof: { method: 'password', account_id: id, at: epochSeconds() },
});

export function createTryPassword({ accounts, limits, visitor }: Needs): TryPassword {
  return async (ctx, email, password) => {
    if (email === '' || password === '') return failed('sign_in.error.missing', 400);
    if (passwordLength(password) > PASSWORD_MAX) return failed('sign_in.error.too_long', 400);
    try {
      const account = await limits.guess('password', await visitor.keys(ctx, email), () =>
        accounts.authenticate(email, password),
      );
      return account ? proved(account) : failed('sign_in.error.no_match', 401);
    } catch (error) {
      if (isGatehouseError(error, 'limited')) {
        ctx.set('Retry-After', String(error.retryAfter));
        return failed('limited.tries', 429, minutes(error));
      }
      if (!isGatehouseError(error, 'busy')) throw error;
      ctx.set('Retry-After', '2');
      return failed('sign_in.error.busy', 503);
    }
  };
}
