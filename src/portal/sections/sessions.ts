import type { Audit } from '../../audit/audit.ts';
import { deviceKind, deviceName } from '../../http/device.ts';
import { notFound } from '../../kernel/errors.ts';
import type { SessionOverview, Sessions } from '../../oidc/sessions.ts';
import { datesFor } from '../dates.ts';
import type { Dates } from '../dates.ts';
import type { Section, Visit } from '../section.ts';

interface Needs {
  sessions: Sessions;
  audit: Pick<Audit, 'record'>;
}

const shown = (
  { session }: Visit,
  { id, uid, user_agent, address, since, last_seen }: SessionOverview,
  dates: Dates,
) => ({
  id,
  current: uid === session.uid,
  device: deviceName(user_agent),
  kind: deviceKind(user_agent),
  address: address === 'unknown' ? null : address,
  since: dates.moment(since),
  last_seen: dates.moment(last_seen),
});

/** The browsers somebody is signed in with. */
export function sessionsSection({ sessions, audit }: Needs): Section {
  const idOf = ({ ctx }: Visit) => String((ctx as unknown as { params: { id: string } }).params.id);

  return {
    id: 'sessions',
    group: 'access',
    path: '/sessions',
    add(desk) {
      desk.get('/sessions', async (visit) => {
        const open = await sessions.list(visit.account.id);
        await desk.show(visit, 'sessions', (_t, { tag }) => {
          const all = open.map((one) => shown(visit, one, datesFor(tag, visit.account)));
          return {
            sessions: [...all.filter(({ current }) => current), ...all.filter(({ current }) => !current)],
            end_action: desk.url('/sessions'),
            end_others_url: desk.url('/sessions/others'),
          };
        });
      });

      const others = { fresh: true, back: '/sessions/others' };
      desk.get(
        '/sessions/others',
        async (visit) => {
          const open = await sessions.list(visit.account.id);
          const count = open.filter(({ uid }) => uid !== visit.session.uid).length;
          await desk.show(visit, 'sessions-others', { count, action: desk.url('/sessions/others') });
        },
        { fresh: true },
      );
      desk.post(
        '/sessions/others',
        async (visit) => {
          const count = await sessions.endOthers(visit.account.id, visit.session.uid);
          await audit.record('sessions_ended', visit.account.id);
          desk.done(visit, '/sessions', 'sessions_ended', { count });
        },
        others,
      );

      desk.post('/sessions/:id/end', async (visit) => {
        if (!(await sessions.end(visit.account.id, idOf(visit)))) throw notFound('There is no such session.');
        await audit.record('session_ended', visit.account.id);
        desk.done(visit, '/sessions', 'session_ended');
      });
    },
  };
}
