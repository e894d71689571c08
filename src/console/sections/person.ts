/** One person: all there is of them, and where what can be done with it is done. */
import type { Account } from '../../accounts/account.ts';
import { initials } from '../../accounts/account.ts';
import type { People } from '../../administration/people.ts';
import type { Audit } from '../../audit/audit.ts';
import { isOwnPage } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import { deviceKind, deviceName } from '../../http/device.ts';
import { datesIn } from '../../kernel/dates.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Visit } from '../../visits/visit.ts';
import { shownEntries } from '../entries.ts';
import { principalOf } from '../place.ts';
import { actsFor, addActs } from './person-acts.ts';
import { addEditing } from './person-editing.ts';
import { personAt } from './person-at.ts';
import type { EditingNeeds } from './person-editing.ts';

const RECENT = 10;

export interface PersonNeeds extends EditingNeeds {
  people: People;
  audit: Pick<Audit, 'search'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  clients: { find(id: string): Promise<Client | undefined> };
  providerName: (name: string) => string;
}

/** Who demanded a new password of them, and when, where that is recorded. */
async function demandOf({ id, must_change_password }: Account, needs: PersonNeeds, url: Desk['url']) {
  if (must_change_password !== true) return undefined;
  const { items } = await needs.audit.search({ target: id, type: 'password_change_demanded', limit: 1 });
  return shownEntries(items, { ...needs, url });
}

async function show(desk: Desk, visit: Visit, needs: PersonNeeds): Promise<void> {
  const { people, audit, clients, providerName, mailAvailable } = needs;
  const account = await personAt(people, visit);
  const { id } = account;
  const [methods, sessions, consents, recent, demand] = await Promise.all([
    people.signInMethods(id),
    people.sessions(id),
    people.consents(id),
    audit.search({ target: id, limit: RECENT }),
    demandOf(account, needs, desk.url),
  ]);
  const entries = await shownEntries(recent.items, { ...needs, url: desk.url });
  const allowed = consents.filter(({ client_id }) => !isOwnPage(client_id));
  const names = await Promise.all(
    allowed.map(async ({ client_id }) => (await clients.find(client_id))?.client_name ?? client_id),
  );
  const url = (path: string) => desk.url(`/people/${id}${path}`);

  await desk.show(
    visit,
    'person',
    (t, { tag, lang }) => {
      const dates = datesIn(tag, visit.account.claims.zoneinfo);
      const { second_factors: second } = methods;
      return {
        person: {
          id,
          name: account.name,
          email: account.email,
          email_verified: account.email_verified,
          roles: account.roles,
          groups: account.groups ?? [],
          state: account.state,
          initials: initials(account.name),
          claims: Object.entries(account.claims).map(([name, value]) => ({
            name,
            value: typeof value === 'object' ? Object.values(value as object).join(', ') : String(value),
          })),
          created: dates.moment(account.created_at),
          last_sign_in: account.last_sign_in_at === null ? null : dates.moment(account.last_sign_in_at),
          erase_on: account.erase_at ? dates.moment(account.erase_at) : null,
        },
        methods: {
          has_password: methods.has_password,
          must_change: account.must_change_password === true,
          demanded: demand?.(t, tag, visit.account.claims.zoneinfo)[0] ?? null,
          totp: second.totp,
          codes: second.recovery_codes_left,
          devices: second.remembered_devices.length,
          passkeys: methods.passkeys.map((one) => ({
            name: one.name,
            since: dates.day(one.created_at),
            action: url(`/passkeys/${encodeURIComponent(one.id)}/remove`),
          })),
          identities: methods.identities.map((one) => ({ provider: providerName(one.provider), email: one.email })),
        },
        sessions: sessions.map((one) => ({
          device: deviceName(one.user_agent),
          kind: deviceKind(one.user_agent),
          address: one.address === 'unknown' ? null : one.address,
          current: one.uid === visit.session.uid,
          last_seen: dates.moment(one.last_seen),
          action: url(`/sessions/${encodeURIComponent(one.id)}/end`),
        })),
        consents: allowed.map((one, index) => ({
          app: names[index],
          scopes: one.scopes,
          since: dates.day(one.created_at),
          action: url(`/apps/${encodeURIComponent(one.client_id)}/withdraw`),
        })),
        events: entries(t, tag, visit.account.claims.zoneinfo),
        self: id === visit.account.id,
        acts: actsFor(account, { self: id === visit.account.id, mailAvailable }).map(({ id: act, path, danger }) => ({
          id: act,
          url: url(`/${path}`),
          danger,
        })),
        urls: {
          list: desk.url('/people'),
          edit: url('/edit'),
          roles: url('/roles'),
          email: url('/email'),
          password: url('/password'),
          audit: `${desk.url('/audit')}?target=${encodeURIComponent(id)}`,
        },
        lang,
      };
    },
    { title: ['console.title.person', { name: account.name }] },
  );
}

export function addPerson(desk: Desk, needs: PersonNeeds): void {
  const { people, clients } = needs;
  const back = { back: '/people/:id' };
  const here = (id: string) => `/people/${id}`;

  desk.get('/people/:id', (visit) => show(desk, visit, needs));
  addEditing(desk, needs);
  addActs(desk, needs);

  desk.post(
    '/people/:id/sessions/:session/end',
    async (visit) => {
      const { id } = await personAt(people, visit);
      await people.endSession(principalOf(visit), id, parameterOf(visit, 'session'));
      desk.done(visit, here(id), 'session_ended');
    },
    back,
  );
  desk.post(
    '/people/:id/apps/:client/withdraw',
    async (visit) => {
      const { id } = await personAt(people, visit);
      const client = parameterOf(visit, 'client');
      await people.withdrawConsent(principalOf(visit), id, client);
      desk.done(visit, here(id), 'app_withdrawn', { app: (await clients.find(client))?.client_name ?? client });
    },
    back,
  );
  desk.post(
    '/people/:id/passkeys/:passkey/remove',
    async (visit) => {
      const { id } = await personAt(people, visit);
      await people.removePasskey(principalOf(visit), id, parameterOf(visit, 'passkey'));
      desk.done(visit, here(id), 'passkey_removed');
    },
    { ...back, strong: true },
  );
}
