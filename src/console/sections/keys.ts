import { datesIn } from '../../kernel/dates.ts';
import type { KeysOverview } from '../../keys/overview.ts';
import type { Rotation } from '../../keys/rotation.ts';
import { notFound } from '../../kernel/errors.ts';
import { parameterOf } from '../../visits/visit.ts';
import { showConfirmation } from '../confirm.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';

interface Needs {
  keys: { overview(): Promise<KeysOverview>; rotation: Pick<Rotation, 'rotate' | 'compromise'> };
  issuer: string;
}

/** The signing keys: what each does now, and what comes next; the next one is published, and one that is compromised removed. */
export function keysSection({ keys, issuer }: Needs): Section {
  return {
    id: 'keys',
    group: 'system',
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
                remove_url: desk.url(`/keys/${encodeURIComponent(key.id)}/remove`),
                next_change: key.next_change_at === null ? null : dates.day(key.next_change_at),
              })),
            fetched: fetched.slice(0, 20).map((one) => ({ ...one, last: dates.moment(one.last_at) })),
            rotate_url: desk.url('/keys/rotate'),
            key_set: `${issuer}/jwks`,
          };
        });
      });
      addActs(desk, keys);
    },
  };
}

function addActs(desk: Desk, { overview, rotation }: Needs['keys']): void {
  const keyAt = async (visit: Visit) => {
    const wanted = parameterOf(visit, 'key');
    const found = (await overview()).keys.find(({ id, state }) => id === wanted && state !== 'removed');
    if (!found) throw notFound(`there is no signing key ${wanted}`);
    return found;
  };

  desk.get(
    '/keys/rotate',
    async (visit) => {
      const { keys } = await overview();
      const algorithms = [...new Set(keys.filter(({ state }) => state === 'active').map(({ alg }) => alg))];
      await showConfirmation(desk, visit, {
        id: 'keys_rotate',
        name: algorithms.join(', '),
        detail: '',
        action: desk.url('/keys/rotate'),
        back: desk.url('/keys'),
        danger: false,
      });
    },
    { strong: true },
  );
  desk.post(
    '/keys/rotate',
    async (visit) => {
      const made = await rotation.rotate();
      desk.done(visit, '/keys', made.length > 0 ? 'keys_published' : 'keys_were_published', {
        name: made.map(({ id }) => id).join(', '),
      });
    },
    { strong: true, back: '/keys/rotate' },
  );

  desk.get(
    '/keys/:key/remove',
    async (visit) => {
      const { id, alg } = await keyAt(visit);
      await showConfirmation(desk, visit, {
        id: 'key_remove',
        name: alg,
        detail: id,
        action: desk.url(`/keys/${encodeURIComponent(id)}/remove`),
        back: desk.url('/keys'),
        danger: true,
      });
    },
    { strong: true },
  );
  desk.post(
    '/keys/:key/remove',
    async (visit) => {
      const { id } = await keyAt(visit);
      await rotation.compromise({ id });
      desk.done(visit, '/keys', 'key_removed', { name: id });
    },
    { strong: true, back: '/keys/:key/remove' },
  );
}
