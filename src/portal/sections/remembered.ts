import type { Factors } from '../../factors/factors.ts';
import type { DeviceCookie } from '../../http/device-cookie.ts';
import { notFound } from '../../kernel/errors.ts';
import { datesFor } from '../dates.ts';
import { parameterOf } from '../section.ts';
import type { Desk, Section, Visit } from '../section.ts';

interface Needs {
  factors: { devices: Pick<Factors['devices'], 'ttl' | 'list' | 'idOf' | 'forget' | 'forgetAll'> };
  /** Second factors are on. */
  hasFactors(): boolean;
  rememberedCookie: Pick<DeviceCookie, 'read'>;
}

/** What picture stands for it; only its name was kept. */
const kindOf = (name: string) => (name === '' ? 'unknown' : /\b(iOS|Android)\b/.test(name) ? 'phone' : 'computer');

/** Browsers that are spared the second step. Forgetting one takes nothing from its person, so it asks for no fresh proof. */
export function rememberedSection({ factors: { devices }, hasFactors, rememberedCookie }: Needs): Section | undefined {
  if (devices.ttl === 0) return undefined;

  async function show(desk: Desk, visit: Visit): Promise<void> {
    const { ctx, account } = visit;
    const [all, own] = await Promise.all([
      devices.list(account.id),
      devices.idOf(account.id, rememberedCookie.read(ctx)),
    ]);
    await desk.show(visit, 'remembered', (_t, { lang }) => {
      const dates = datesFor(lang, account);
      const shown = all.map(({ id, name, created_at, last_used_at, expires_at }) => ({
        name,
        kind: kindOf(name),
        current: id === own,
        since: dates.day(created_at),
        last_used: dates.moment(last_used_at),
        until: dates.day(expires_at),
        action: desk.url(`/remembered/${id}/forget`),
      }));
      return {
        devices: [...shown.filter(({ current }) => current), ...shown.filter(({ current }) => !current)],
        forget_all_action: desk.url('/remembered/forget'),
      };
    });
  }

  return {
    id: 'remembered',
    group: 'sign_in',
    path: '/remembered',
    hidden: () => !hasFactors(),
    add(desk) {
      desk.get('/remembered', (visit) => show(desk, visit));
      desk.post('/remembered/forget', async (visit) => {
        await devices.forgetAll(visit.account.id);
        desk.done(visit, '/remembered', 'devices_forgotten');
      });
      desk.post('/remembered/:id/forget', async (visit) => {
        if (!(await devices.forget(visit.account.id, parameterOf(visit, 'id'))))
          throw notFound('There is no such remembered device.');
        desk.done(visit, '/remembered', 'device_forgotten');
      });
    },
  };
}
