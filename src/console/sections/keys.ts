import { datesIn } from '../../kernel/dates.ts';
import type { KeysOverview } from '../../keys/overview.ts';
import type { Section } from '../../visits/visit.ts';

interface Needs {
  keys: { overview(): Promise<KeysOverview> };
  issuer: string;
}

/** The signing keys: what each does now, and what comes next. Commands change them. */
export function keysSection({ keys, issuer }: Needs): Section {
  return {
    id: 'keys',
    group: null,
    path: '/keys',
    add(desk) {
      desk.get('/keys', async (visit) => {
        const { keys: all, fetched } = await keys.overview();
        await desk.show(visit, 'keys', (_t, { tag }) => {
          const dates = datesIn(tag, visit.account.claims.zoneinfo);
          return {
            keys: all
              .filter(({ state }) => state !== 'removed')
              .map((key) => ({
                ...key,
                since: dates.day(key.since),
                next_change: key.next_change_at === null ? null : dates.day(key.next_change_at),
              })),
            fetched: fetched.slice(0, 20).map((one) => ({ ...one, last: dates.moment(one.last_at) })),
            key_set: `${issuer}/jwks`,
          };
        });
      });
    },
  };
}
