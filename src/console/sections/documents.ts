/** Apps that sign people in without registration: which there are, and the switch that ends one. */
import type { ClientDocuments } from '../../administration/client-documents.ts';
import type { Config } from '../../config/schema.ts';
import { field } from '../../http/body.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import { datesIn } from '../../kernel/dates.ts';
import type { Section, Visit } from '../../visits/visit.ts';
import { asked } from '../lists.ts';

interface Needs {
  clientDocuments: ClientDocuments;
  config: Pick<Config, 'client_documents'>;
}

const HERE = '/client-documents';

export function documentsSection({ clientDocuments, config }: Needs): Section {
  return {
    id: 'documents',
    group: 'apps',
    path: HERE,
    add(desk) {
      async function show(visit: Visit, typed: { client_id: string; reason: string }, wrong?: string): Promise<void> {
        const { items, next } = await clientDocuments.list({ after: asked(visit.ctx, 'after') });
        await desk.show(
          visit,
          'documents',
          (_t, { tag }) => {
            const dates = datesIn(tag, visit.account.claims.zoneinfo);
            return {
              off: config.client_documents.mode === 'off',
              typed,
              wrong: wrong ?? null,
              action: desk.url(`${HERE}/deny`),
              allow_action: desk.url(`${HERE}/allow`),
              next_url: next === undefined ? null : `${desk.url(HERE)}?after=${encodeURIComponent(next)}`,
              documents: items.map((one) => ({
                id: one.client_id,
                host: URL.parse(one.client_id)?.host ?? one.client_id,
                claimed_name: one.claimed_name,
                denied: one.denied_at !== null,
                reason: one.denied_reason,
                used: dates.day(one.used_at),
              })),
            };
          },
          wrong === undefined ? {} : { status: 400 },
        );
      }

      desk.get(HERE, (visit) => {
        const draft = desk.draft(visit, `${HERE}/deny`);
        return show(visit, { client_id: draft['client_id'] ?? '', reason: draft['reason'] ?? '' });
      });
      desk.post(
        `${HERE}/deny`,
        async (visit) => {
          const typed = { client_id: field(visit.ctx, 'client_id').trim(), reason: field(visit.ctx, 'reason') };
          try {
            await clientDocuments.deny(typed.client_id, typed.reason);
          } catch (error) {
            if (!isGatehouseError(error, 'invalid_input')) throw error;
            return show(visit, typed, error.message);
          }
          desk.done(visit, HERE, 'document_denied', { app: typed.client_id });
        },
        { strong: true, back: HERE, keep: ['client_id', 'reason'] },
      );
      desk.post(
        `${HERE}/allow`,
        async (visit) => {
          const app = field(visit.ctx, 'client_id');
          await clientDocuments.allow(app);
          desk.done(visit, HERE, 'document_allowed', { app });
        },
        { strong: true, back: HERE },
      );
    },
  };
}
