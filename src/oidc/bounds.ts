/** What an authorization request may make us keep: anybody may send one, and it is kept for as long as a sign-in may take. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { tooLarge } from '../kernel/errors.ts';

/** Characters of a query: what every browser and proxy takes in an address. */
export const LONGEST_QUERY = 8000;
/** Characters of an e-mail address (RFC 5321, section 4.5.3.1): a longer hint names nobody. */
const LONGEST_HINT = 320;

/** The engine's router takes a path in any case, and with a slash behind it. */
const isSame = (path: string, expected: string) => path.replace(/\/$/, '').toLowerCase() === expected;

/** Refuses over-long requests, and drops a `login_hint` that cannot be one (OpenID Connect Core, section 3.1.2.1, leaves its use to us). */
export const boundRequest =
  (path: string) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (isSame(ctx.path, path) && ctx.querystring !== '') {
      const query = new URLSearchParams(ctx.querystring);
      if (query.getAll('login_hint').some((hint) => hint.length > LONGEST_HINT)) {
        query.delete('login_hint');
        ctx.querystring = query.toString();
      }
      if (ctx.querystring.length > LONGEST_QUERY) throw tooLarge('The request is too long.');
    }
    await next();
  };
