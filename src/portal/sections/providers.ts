import type { Accounts } from '../../accounts/accounts.ts';
import type { Audit } from '../../audit/audit.ts';
import { disconnect } from '../../federation/disconnect.ts';
import type { Identity } from '../../federation/identity.ts';
import type { Providers } from '../../federation/providers.ts';
import type { IdentityStore } from '../../federation/store.ts';
import { notFound } from '../../kernel/errors.ts';
import { datesFor } from '../dates.ts';
import type { Connecting } from '../connecting.ts';
import type { Section, Visit } from '../section.ts';

interface Needs {
  accounts: Pick<Accounts, 'get'>;
  identities: Pick<IdentityStore, 'listByAccount' | 'delete' | 'insert'>;
  providers: Providers;
  audit: Pick<Audit, 'record'>;
  vault: { lookupKey(kind: string, id: string): string };
  connecting: Connecting;
  /** Ways in beside password and upstream logins, such as passkeys. */
  hasOtherWayIn(accountId: string): Promise<boolean>;
}

/** Accounts elsewhere that the person signs in with. */
export function providersSection({
  accounts,
  identities,
  providers,
  audit,
  vault,
  connecting,
  hasOtherWayIn,
}: Needs): Section {
  const idOf = ({ provider, issuer, subject }: Identity) =>
    vault.lookupKey('identity on a page', JSON.stringify([provider, issuer, subject]));

  async function hasWayWithout(accountId: string, id: string): Promise<boolean> {
    const { password_hash } = await accounts.get(accountId);
    if (password_hash !== null || (await hasOtherWayIn(accountId))) return true;
    const left = await identities.listByAccount(accountId);
    // A provider that is not configured any more lets nobody in.
    return left.some((identity) => idOf(identity) !== id && providers.find(identity.provider) !== undefined);
  }

  async function find({ ctx, account }: Visit): Promise<Identity> {
    const { id } = (ctx as unknown as { params: { id: string } }).params;
    const identity = (await identities.listByAccount(account.id)).find((one) => idOf(one) === id);
    if (!identity) throw notFound('There is no such connected account.');
    return identity;
  }

  return {
    id: 'providers',
    group: 'sign_in',
    path: '/providers',
    add(desk) {
      desk.get('/providers', async (visit) => {
        const found = await identities.listByAccount(visit.account.id);
        const removable = await Promise.all(found.map((one) => hasWayWithout(visit.account.id, idOf(one))));
        await desk.show(visit, 'providers', (_t, { tag }) => {
          const dates = datesFor(tag, visit.account);
          const connected = found.map((identity, index) => ({
            id: idOf(identity),
            name: providers.find(identity.provider)?.display_name ?? identity.provider,
            email: identity.email,
            since: dates.day(identity.created_at),
            last_used: dates.moment(identity.last_used_at),
            removable: removable[index],
          }));
          const others = providers.all.filter(({ name }) => !found.some(({ provider }) => provider === name));
          return {
            connected,
            others: others.map(({ name, type, display_name }) => ({ name, type, display_name })),
            action: desk.url('/providers'),
          };
        });
      });
      desk.post(
        '/providers/:name/connect',
        async (visit) => {
          const { name } = (visit.ctx as unknown as { params: { name: string } }).params;
          const upstream = providers.find(name);
          if (!upstream) throw notFound('There is no such provider.');
          const away = await connecting.begin(visit.ctx, visit.session, upstream);
          if (away !== undefined) return desk.away(visit, away);
          return desk.done(visit, '/providers', 'provider_failed', { provider: upstream.display_name });
        },
        { fresh: true },
      );
      desk.get('/providers/connected', async (visit) => {
        const { handle } = visit.ctx.query;
        const { outcome, provider } = await connecting.finish(visit.session, typeof handle === 'string' ? handle : '');
        desk.done(visit, '/providers', `provider_${outcome}`, { provider });
      });
      desk.post(
        '/providers/:id/disconnect',
        async (visit) => {
          const identity = await find(visit);
          const { id } = visit.account;
          const outcome = await disconnect(identities, identity, () => hasWayWithout(id, idOf(identity)));
          const provider = providers.find(identity.provider)?.display_name ?? identity.provider;
          if (outcome === 'none') throw notFound('There is no such connected account.');
          if (outcome === 'last') return desk.done(visit, '/providers', 'provider_last', { provider });
          await audit.record('provider_disconnected', id, { detail: { provider: identity.provider } });
          return desk.done(visit, '/providers', 'provider_gone', { provider });
        },
        { fresh: true },
      );
    },
  };
}
