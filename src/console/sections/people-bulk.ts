/** The same done to several people at once, after a page that names them all. */
import type { Context } from 'koa';
import type { Account } from '../../accounts/account.ts';
import { isLastAdmin } from '../../accounts/last-admin.ts';
import type { People } from '../../administration/people.ts';
import { field, fields } from '../../http/body.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { oneOf } from '../lists.ts';
import { principalOf } from '../place.ts';

const ACTS = ['suspend', 'sign_out'] as const;
/** As many as a page shows. */
const MOST = 100;

const chosen = (ctx: Context) => [...new Set(fields(ctx, 'person'))].slice(0, MOST);

export function addBulk(desk: Desk, { people }: { people: People }): void {
  /** Those who are still there, and not the admin who asks. */
  async function found(visit: Visit): Promise<Account[]> {
    const all = await Promise.all(
      chosen(visit.ctx).map(async (id) => {
        try {
          return await people.get(id);
        } catch (error) {
          if (isGatehouseError(error, 'not_found')) return undefined;
          throw error;
        }
      }),
    );
    return all.filter((one) => one !== undefined && one.id !== visit.account.id) as Account[];
  }

  desk.post('/people/selected', async (visit) => {
    const act = oneOf(field(visit.ctx, 'act'), ACTS) ?? 'sign_out';
    const selected = await found(visit);
    if (selected.length === 0) return desk.done(visit, '/people', 'nobody_chosen');
    await desk.show(
      visit,
      'people-selected',
      (t) => ({
        act,
        people: selected.map(({ id, name, email }) => ({ id, name, email })),
        heading: t(`console.bulk.${act}`, { count: selected.length }),
        text: t(`console.bulk.text.${act}`),
        action: desk.url('/people/selected/do'),
        back: desk.url('/people'),
      }),
      { title: [`console.bulk.${act}`, { count: selected.length }] },
    );
  });

  desk.post(
    '/people/selected/do',
    async (visit) => {
      const act = oneOf(field(visit.ctx, 'act'), ACTS);
      const selected = act ? await found(visit) : [];
      const by = principalOf(visit);
      for (const { id, name } of selected)
        try {
          await (act === 'suspend' ? people.suspend(by, id) : people.signOut(by, id));
        } catch (error) {
          if (!isLastAdmin(error)) throw error;
          return desk.done(visit, '/people', 'last_admin', { name });
        }
      desk.done(visit, '/people', act === 'suspend' ? 'people_suspended' : 'people_signed_out', {
        count: selected.length,
      });
    },
    { strong: true },
  );
}
