/**
 * Console: pages for admins at `/admin`. This room owns its pages and nothing else: the way in and the session are `visits/`'s, and
 * what an admin does are the use cases of `administration/`, the same as behind the admin API and the command line. A section is one
 * entry of its navigation; `sections.ts` is the list of them. Its texts are below `console.`.
 */
import type { Account } from '../accounts/account.ts';
import { isAdmin } from '../accounts/role.ts';
import type { Principal } from '../administration/principal.ts';
import { CONSOLE_CLIENT } from '../clients/client.ts';
import type { Config } from '../config/schema.ts';
import type { Factors } from '../factors/factors.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Place } from '../visits/place.ts';
import type { Visit } from '../visits/visit.ts';

interface Needs {
  config: Pick<Config, 'brand' | 'factors'>;
  factors: Pick<Factors, 'of'>;
  book: Pick<RoleBook, 'current'>;
  /** Tells whoever notes what is done that the request is an admin's. */
  actAs(by: { kind: 'admin'; id: string }): void;
}

/** Who acts in the console may do all that there is to do. */
export const principalOf = ({ account }: Pick<Visit, 'account'>): Principal => ({
  kind: 'admin',
  id: account.id,
  may: () => true,
});

/** Whether an admin gets in with two factors only: they have a second one, or the policy wants them to. */
async function demandsFactor({ config, factors, book }: Needs, account: Account): Promise<boolean> {
  const { id } = account;
  const { roles } = (await book.current()).authorityOf(account);
  const { policy, required_roles } = config.factors;
  const { totp, passkeys } = await factors.of(id);
  if (passkeys > 0) return true;
  if (policy === 'off') return false;
  return totp || policy === 'required' || required_roles.some((role) => roles.includes(role));
}

/** The console as a place that admins sign in to. */
export const consolePlace = (needs: Needs): Place => ({
  path: '/admin',
  client: CONSOLE_CLIENT,
  get client_name() {
    return needs.config.brand.name;
  },
  cookie: 'gatehouse_console',
  kind: 'ConsoleSession',
  views: 'console',
  words: {
    title: (view) => `console.title.${view}`,
    nav: (what) => `console.nav.${what}`,
    outside: (reason) => `portal.outside.${reason}.title`,
  },
  groups: ['people', 'apps', 'system'],
  outside: [],
  refusal: ({ account }) => (isAdmin(account) ? undefined : 'refused'),
  demandsFactor: ({ account }) => demandsFactor(needs, account),
  admitted: ({ account: { id } }) => needs.actAs({ kind: 'admin', id }),
});
