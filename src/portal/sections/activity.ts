import type { Audit } from '../../audit/audit.ts';
import type { AuditEvent, EventType } from '../../audit/event.ts';
import type { Client } from '../../clients/client.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import { datesFor } from '../dates.ts';
import type { Section } from '../section.ts';

interface Needs {
  audit: Pick<Audit, 'listByAccount'>;
  clients: { find(id: string): Promise<Client | undefined> };
  providerName: (name: string) => string;
}

const PAGE = 25;
/** What may be somebody else's doing. */
const CONCERNS = new Set<EventType>(['wrong_password', 'passkey_copied', 'token_reused']);

/** What happened to the account. */
export function activitySection({ audit, clients, providerName }: Needs): Section {
  async function pageOf(accountId: string, after: string | undefined) {
    try {
      return await audit.listByAccount(accountId, { limit: PAGE, after });
    } catch (error) {
      // Whoever made up an address begins at the top.
      if (!isGatehouseError(error, 'invalid_input')) throw error;
      return audit.listByAccount(accountId, { limit: PAGE });
    }
  }

  async function namesOf(events: AuditEvent[]): Promise<Map<string, string>> {
    const ids = new Set(events.flatMap(({ detail }) => detail['client_id'] ?? []));
    const found = [...ids].map(async (id) => [id, (await clients.find(id))?.client_name ?? id] as const);
    return new Map(await Promise.all(found));
  }

  return {
    id: 'activity',
    group: 'access',
    path: '/activity',
    add(desk) {
      desk.get('/activity', async (visit) => {
        const { after } = visit.ctx.query;
        const { items, next } = await pageOf(visit.account.id, typeof after === 'string' ? after : undefined);
        const names = await namesOf(items);
        await desk.show(visit, 'activity', (t, { tag }) => {
          const dates = datesFor(tag, visit.account);
          const events = items.map(({ type, actor, network, device, detail, created_at }) => ({
            what: t(`portal.activity.type.${type}`, {
              app: names.get(detail['client_id'] ?? '') ?? '',
              provider: providerName(detail['provider'] ?? ''),
              passkey: detail['passkey'] ?? '',
              ...(detail['left'] === undefined ? {} : { count: Number(detail['left']) }),
            }),
            concern: CONCERNS.has(type),
            by: actor === 'person' ? null : t(`portal.activity.by.${actor}`),
            network,
            device,
            at: dates.moment(created_at),
          }));
          return {
            events,
            first_url: after === undefined ? null : desk.url('/activity'),
            next_url: next === undefined ? null : `${desk.url('/activity')}?after=${encodeURIComponent(next)}`,
          };
        });
      });
    },
  };
}
