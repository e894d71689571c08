/** Several apps or APIs deleted at once, after a page that names them all. */
import { isBuiltIn } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import { fields } from '../../http/body.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { principalOf } from '../place.ts';
import type { ClientNeeds, Shelf } from './clients.ts';

/** As many as a page shows. */
const MOST = 100;

export function addDeletingSeveral(desk: Desk, { id: place, kind }: Shelf, { apps }: Pick<ClientNeeds, 'apps'>): void {
  /** Those who are still there, and not part of the program. */
  async function chosen({ ctx }: Visit): Promise<Client[]> {
    const ids = [...new Set(fields(ctx, 'client'))].slice(0, MOST).filter((id) => !isBuiltIn(id));
    const found = await Promise.all(
      ids.map(async (id) => {
        try {
          return await apps.get(kind, id);
        } catch (error) {
          if (isGatehouseError(error, 'not_found')) return undefined;
          throw error;
        }
      }),
    );
    return found.filter((one) => one !== undefined);
  }

  desk.post(`/${place}/selected`, async (visit) => {
    const selected = await chosen(visit);
    if (selected.length === 0) return desk.done(visit, `/${place}`, 'nothing_chosen');
    const title = [`console.bulk.delete_${place}`, { count: selected.length }] as const;
    await desk.show(
      visit,
      'clients-selected',
      (t) => ({
        clients: selected.map(({ id, client_name }) => ({ id, name: client_name })),
        heading: t(title[0], title[1]),
        text: t('console.bulk.text.delete'),
        submit: t('console.bulk.button.delete'),
        action: desk.url(`/${place}/selected/do`),
        back: desk.url(`/${place}`),
      }),
      { title: [...title] },
    );
  });

  desk.post(
    `/${place}/selected/do`,
    async (visit) => {
      const selected = await chosen(visit);
      const by = principalOf(visit);
      for (const { id } of selected)
        try {
          await apps.remove(by, kind, id);
        } catch (error) {
          // Somebody else was faster.
          if (!isGatehouseError(error, 'not_found')) throw error;
        }
      desk.done(visit, `/${place}`, 'clients_deleted', { count: selected.length });
    },
    { strong: true },
  );
}
