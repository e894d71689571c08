import type { Account } from '../../accounts/account.ts';
import type { Audit } from '../../audit/audit.ts';
import { ACT_TYPES, EVENT_TYPES } from '../../audit/event.ts';
import type { Client } from '../../clients/client.ts';
import type { Section } from '../../visits/visit.ts';
import { shownEntries } from '../entries.ts';
import { asked, oneOf, pageOf, pagesOf } from '../lists.ts';

interface Needs {
  audit: Pick<Audit, 'search'>;
  accounts: {
    find(id: string): Promise<Account | undefined>;
    findByEmail(email: string): Promise<Account | undefined>;
  };
  clients: { find(id: string): Promise<Client | undefined> };
  providerName: (name: string) => string;
}

const TYPES = [...EVENT_TYPES, ...ACT_TYPES];
const DAY = /^\d{4}-\d\d-\d\d$/;
const DAY_MS = 86_400_000;

/** A day as it was typed, as the moment at its beginning; `days` later. */
function momentOf(day: string, days = 0): string | undefined {
  const at = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at + days * DAY_MS).toISOString();
}

/** What happened, to whom and by whom. */
export function auditSection(needs: Needs): Section {
  const { audit, accounts } = needs;
  /** Who is meant: people are named by e-mail too. */
  const idOf = async (who: string) =>
    who.includes('@') ? ((await accounts.findByEmail(who))?.id ?? 'nobody') : who || undefined;

  return {
    id: 'audit',
    group: 'system',
    path: '/audit',
    add(desk) {
      desk.get('/audit', async (visit) => {
        const { ctx } = visit;
        const names = ['type', 'actor', 'target', 'reference', 'from', 'to'] as const;
        const filters = Object.fromEntries(names.map((name) => [name, asked(ctx, name)])) as Record<
          (typeof names)[number],
          string
        >;
        const search = {
          type: oneOf(filters.type, TYPES),
          actor: await idOf(filters.actor),
          target: await idOf(filters.target),
          reference: filters.reference || undefined,
          from: momentOf(filters.from),
          to: momentOf(filters.to, 1),
        };
        const { items, next } = await pageOf(ctx, (page) => audit.search({ ...search, ...page }));
        const entries = await shownEntries(items, { ...needs, url: desk.url });
        await desk.show(visit, 'audit', (t, { tag }) => ({
          entries: entries(t, tag, visit.account.claims.zoneinfo),
          filters,
          live: true,
          filtered: Object.values(filters).some((value) => value !== ''),
          types: TYPES,
          action: desk.url('/audit'),
          ...pagesOf(ctx, desk.url('/audit'), filters, next),
        }));
      });
    },
  };
}
