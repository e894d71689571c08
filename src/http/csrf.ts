/**
 * CSRF protection without a session: a random value in a cookie, and its keyed hash in each form. Only a page of ours can
 * know both.
 */
import type { Context } from 'koa';
import { forbidden } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Vault } from '../kernel/secrets.ts';

export interface Csrf {
  /** The value for a form's hidden `_csrf` field; sets the cookie where there is none. */
  token(ctx: Context): string;
  /** @throws forbidden when a form was not one of ours. */
  verify(ctx: Context, token: unknown): void;
  /** Whether the browser sent the cookie back: without it cookies are blocked. */
  hasCookie(ctx: Context): boolean;
}

export function createCsrf({ vault, https }: { vault: Vault; https: boolean }): Csrf {
  const name = `${https ? '__Host-' : ''}gatehouse_csrf`;
  const sign = (value: string) => vault.sign('csrf', value);

  return {
    token(ctx) {
      let value = ctx.cookies.get(name, { signed: false });
      if (!value) {
        value = newId();
        ctx.cookies.set(name, value, { signed: false, httpOnly: true, sameSite: 'lax', secure: https, path: '/' });
      }
      return sign(value);
    },
    verify(ctx, token) {
      const value = ctx.cookies.get(name, { signed: false });
      const site = ctx.get('Sec-Fetch-Site');
      const foreign = site !== '' && site !== 'same-origin' && site !== 'none';
      if (foreign || !value || typeof token !== 'string' || !constantTimeEqual(token, sign(value))) {
        throw forbidden('The form could not be verified.');
      }
    },
    hasCookie: (ctx) => ctx.cookies.get(name, { signed: false }) !== undefined,
  };
}
