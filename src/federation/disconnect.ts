import type { Identity } from './identity.ts';
import type { IdentityStore } from './store.ts';

/**
 * Takes an upstream login away, unless it is the last way into the account.
 * @param hasOtherWay whether the person can get in without it, as things are now.
 */
export async function disconnect(
  identities: Pick<IdentityStore, 'delete' | 'insert'>,
  identity: Identity,
  hasOtherWay: () => Promise<boolean>,
): Promise<'gone' | 'last' | 'none'> {
  if (!(await hasOtherWay())) return 'last';
  if (!(await identities.delete(identity, identity.account_id))) return 'none';
  // Of two that are taken away at once each may have counted on the other.
  if (await hasOtherWay()) return 'gone';
  await identities.insert(identity);
  return 'last';
}
