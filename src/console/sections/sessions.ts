/** Where people are signed in: all sessions, or those of one person, each of which can be ended. */
import type { Account } from '../../accounts/account.ts';
import type { People } from '../../administration/people.ts';
import type { Client } from '../../clients/client.ts';
import { deviceKind, deviceName } from '../../http/device.ts';
import { datesIn } from '../../kernel/dates.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { Page } from '../../kernel/paging.ts';
import type { SessionOfSomebody } from '../../oidc/sessions.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import { asked, pageOf, pagesOf } from '../lists.ts';
import { principalOf } from '../place.ts';

interface Needs {
  people: Pick<People, 'allSessions' | 'sessions' | 'get' | 'endSession'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  clients: { find(id: string): Promise<Client | undefined> };
}

async function found(visit: Visit, { people }: Needs, who: string): Promise<Page<SessionOfSomebody>> {
  if (who === '') return pageOf(visit.ctx, (page) => people.allSessions(page));
  try {
    const { id } = await people.get(who);
    const items = (await people.sessions(id)).map((one) => ({ ...one, account_id: id }));
    return { items, next: undefined };
  } catch (error) {
    if (!isGatehouseError(error, 'not_found')) throw error;
    return { items: [], next: undefined };
  }
}

async function list(desk: Desk, visit: Visit, needs: Needs): Promise<void> {
  const { ctx } = visit;
  const person = asked(ctx, 'person');
  const { items, next } = await found(visit, needs, person);
  const accounts = new Map<string, Account | undefined>();
  const clients = new Map<string, Client | undefined>();
  for (const id of new Set(items.map(({ account_id }) => account_id))) accounts.set(id, await needs.accounts.find(id));
  for (const id of new Set(items.flatMap((one) => one.clients))) clients.set(id, await needs.clients.find(id));
  await desk.show(visit, 'sessions', (_t, { tag }) => {
    const dates = datesIn(tag, visit.account.claims.zoneinfo);
    return {
      sessions: items.map((one) => ({
        name: accounts.get(one.account_id)?.name ?? one.account_id,
        email: accounts.get(one.account_id)?.email ?? '',
        person_url: desk.url(`/people/${one.account_id}`),
        device: deviceName(one.user_agent),
        kind: deviceKind(one.user_agent),
        address: one.address === 'unknown' ? null : one.address,
        apps: one.clients.map((id) => clients.get(id)?.client_name ?? id),
        since: dates.moment(one.since),
        last_seen: dates.moment(one.last_seen),
        current: one.uid === visit.session.uid,
        action: desk.url(`/sessions/${one.account_id}/${encodeURIComponent(one.id)}/end`),
      })),
      filters: { person },
      filtered: person !== '',
      action: desk.url('/sessions'),
      ...pagesOf(ctx, desk.url('/sessions'), { person }, next),
    };
  });
}

export function sessionsSection(needs: Needs): Section {
  return {
    id: 'sessions',
    group: 'people',
    path: '/sessions',
    add(desk) {
      desk.get('/sessions', (visit) => list(desk, visit, needs));
      desk.post('/sessions/:person/:session/end', async (visit) => {
        const person = parameterOf(visit, 'person');
        try {
          await needs.people.endSession(principalOf(visit), person, parameterOf(visit, 'session'));
        } catch (error) {
          // It has ended by itself meanwhile, which is what was wanted.
          if (!isGatehouseError(error, 'not_found')) throw error;
        }
        desk.done(visit, '/sessions', 'session_ended');
      });
    },
  };
}
