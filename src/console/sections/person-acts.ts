/** What is done to a person by one button, after a page that names them. */
import type { Account } from '../../accounts/account.ts';
import { isLastAdmin } from '../../accounts/last-admin.ts';
import type { People } from '../../administration/people.ts';
import type { Principal } from '../../administration/principal.ts';
import { notFound } from '../../kernel/errors.ts';
import type { Desk } from '../../visits/visit.ts';
import { showConfirmation } from '../confirm.ts';
import { principalOf } from '../place.ts';
import { personAt } from './person-at.ts';

interface About {
  /** The admin looks at their own account. */
  self: boolean;
  mailAvailable: boolean;
}

interface Act {
  /** Its texts are `console.act.<id>` and `console.confirm.<id>`, its notice is `<id>`. */
  id: string;
  path: string;
  danger: boolean;
  /** Whether there is reason for it. */
  when(account: Account, about: About): boolean;
  run(people: People, by: Principal, id: string): Promise<unknown>;
}

const ACTS: Act[] = [
  {
    id: 'unlock',
    path: 'unlock',
    danger: false,
    when: () => true,
    run: (people, by, id) => people.unlock(by, id),
  },
  {
    id: 'mail_reset',
    path: 'mail-reset',
    danger: false,
    when: ({ state }, { mailAvailable }) => mailAvailable && state === 'active',
    run: (people, by, id) => people.mailPasswordReset(by, id),
  },
  {
    id: 'demand_password',
    path: 'demand-password',
    danger: false,
    when: ({ password_hash, must_change_password }) => password_hash !== null && must_change_password !== true,
    run: (people, by, id) => people.demandNewPassword(by, id),
  },
  {
    id: 'waive_password',
    path: 'waive-password',
    danger: false,
    when: ({ must_change_password }) => must_change_password === true,
    run: (people, by, id) => people.waiveNewPassword(by, id),
  },
  {
    id: 'sign_out',
    path: 'sign-out',
    danger: false,
    when: () => true,
    run: (people, by, id) => people.signOut(by, id),
  },
  {
    id: 'reset_factors',
    path: 'reset-factors',
    danger: true,
    when: () => true,
    run: (people, by, id) => people.resetFactors(by, id),
  },
  {
    id: 'resume',
    path: 'resume',
    danger: false,
    when: ({ state }) => state !== 'active',
    run: (people, by, id) => people.resume(by, id),
  },
  {
    id: 'suspend',
    path: 'suspend',
    danger: true,
    when: ({ state }, { self }) => state === 'active' && !self,
    run: (people, by, id) => people.suspend(by, id),
  },
  {
    id: 'erase',
    path: 'erase',
    danger: true,
    when: (_account, { self }) => !self,
    run: (people, by, id) => people.remove(by, id),
  },
];

export const actsFor = (account: Account, about: About): Act[] => ACTS.filter(({ when }) => when(account, about));

interface Needs {
  people: People;
  mailAvailable: boolean;
}

export function addActs(desk: Desk, { people, mailAvailable }: Needs): void {
  for (const { id: act, path, danger, when, run } of ACTS) {
    const at = `/people/:id/${path}`;
    desk.get(
      at,
      async (visit) => {
        const account = await personAt(people, visit);
        if (!when(account, { self: account.id === visit.account.id, mailAvailable }))
          throw notFound('There is no reason to.');
        await showConfirmation(desk, visit, {
          id: act,
          name: account.name,
          detail: account.email,
          action: desk.url(`/people/${account.id}/${path}`),
          back: desk.url(`/people/${account.id}`),
          danger,
        });
      },
      { strong: true },
    );
    desk.post(
      at,
      async (visit) => {
        const account = await personAt(people, visit);
        try {
          await run(people, principalOf(visit), account.id);
        } catch (error) {
          if (!isLastAdmin(error)) throw error;
          return desk.done(visit, `/people/${account.id}`, 'last_admin', { name: account.name });
        }
        desk.done(visit, act === 'erase' ? '/people' : `/people/${account.id}`, act, { name: account.name });
      },
      { strong: true, back: at },
    );
  }
}
