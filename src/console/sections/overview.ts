import type { Account } from '../../accounts/account.ts';
import type { Admins } from '../../administration/admins.ts';
import { kindOf } from '../../administration/apps.ts';
import type { Apps } from '../../administration/apps.ts';
import { expiringSecrets } from '../../administration/expiring-secrets.ts';
import type { Page } from '../../kernel/paging.ts';
import type { Search } from '../../kernel/search.ts';
import type { People } from '../../administration/people.ts';
import type { Audit } from '../../audit/audit.ts';
import { isBuiltIn } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { Factors } from '../../factors/factors.ts';
import { datesIn } from '../../kernel/dates.ts';
import type { KeysOverview } from '../../keys/overview.ts';
import type { Section } from '../../visits/visit.ts';
import { chartOf } from '../charts.ts';
import { shownEntries } from '../entries.ts';
import { topErrors } from '../top-errors.ts';
import type { TopError } from '../top-errors.ts';

interface Needs {
  audit: Pick<Audit, 'search' | 'timesOf'>;
  people: Pick<People, 'search' | 'countSessions'>;
  apps: Pick<Apps, 'list'>;
  admins: Pick<Admins, 'list'>;
  factors: Pick<Factors, 'of'>;
  keys: { overview(): Promise<KeysOverview> };
  accounts: { find(id: string): Promise<Account | undefined> };
  clients: { find(id: string): Promise<Client | undefined>; search(search: Search): Promise<Page<Client>> };
  providerName: (name: string) => string;
  mailAvailable: boolean;
}

const DAYS = 14;
/** Of each kind, at most: a look at the last days must not cost more the busier they were. */
const MOST_TIMES = 5000;
/** Milliseconds that a count is good for. */
const COUNT_LIFE = 30_000;
const MOST_COUNTED = 100;
const MOST_SESSIONS = 10_000;
/** Of refused requests: the newest. */
const MOST_ERRORS = 300;
const MOST_ADMINS = 20;
const RECENT = 8;
const MOST_ENDING = 10;

interface Count {
  count: number;
  /** There are more than were counted. */
  more: boolean;
}

interface Counted {
  sign_ins: string[];
  failures: string[];
  sessions: number;
  errors: TopError[];
  people: Count;
  suspended: Count;
  apps: Count;
}

const counting = ({ items, next }: Page<unknown>): Count => ({ count: items.length, more: next !== undefined });

/** Where a visit begins: how it goes, and what wants attention. */
export function overviewSection(needs: Needs): Section {
  const { audit, people, apps, admins, factors, keys, mailAvailable } = needs;
  let counted: { at: number; charts: Promise<Counted> } | undefined;

  async function count(): Promise<Counted> {
    const [sign_ins, failures] = await Promise.all(
      (['sign_in', 'wrong_password'] as const).map((type) => audit.timesOf(type, MOST_TIMES)),
    );
    const [sessions, refused, everybody, suspended, every] = await Promise.all([
      people.countSessions(MOST_SESSIONS),
      audit.search({ type: 'request_refused', limit: MOST_ERRORS }),
      people.search({ limit: MOST_COUNTED }),
      people.search({ state: 'suspended', limit: MOST_COUNTED }),
      apps.list('app', { limit: MOST_COUNTED }),
    ]);
    return {
      sign_ins: sign_ins!,
      failures: failures!,
      sessions,
      errors: topErrors(refused.items),
      people: counting(everybody),
      suspended: counting(suspended),
      apps: counting({ ...every, items: every.items.filter(({ id }) => !isBuiltIn(id)) }),
    };
  }
  async function charts() {
    const now = Date.now();
    if (!counted || now - counted.at > COUNT_LIFE || now < counted.at) counted = { at: now, charts: count() };
    const found = await counted.charts.catch((error: unknown) => {
      counted = undefined;
      throw error;
    });
    if (found.apps.count === 0) counted = undefined; // the first app is waited for
    const chart = (all: string[]) => chartOf(all, { days: DAYS, now, more: all.length === MOST_TIMES });
    return { ...found, sign_ins: chart(found.sign_ins), failures: chart(found.failures) };
  }

  /** Admins who get in by a password alone. */
  async function weakAdmins(): Promise<Account[]> {
    const { items } = await admins.list({ limit: MOST_ADMINS });
    const found = await Promise.all(
      items.map(async (one) => {
        const { totp, passkeys } = await factors.of(one.id);
        return totp || passkeys > 0 || one.state !== 'active' ? [] : [one];
      }),
    );
    return found.flat();
  }

  return {
    id: 'overview',
    group: null,
    path: '',
    add(desk) {
      desk.get('', async (visit) => {
        const [drawn, weak, { keys: signing }, recent, ending] = await Promise.all([
          charts(),
          weakAdmins(),
          keys.overview(),
          audit.search({ limit: RECENT }),
          expiringSecrets(needs),
        ]);
        const entries = await shownEntries(recent.items, { ...needs, url: desk.url });
        const names = new Map<string, string>();
        for (const { client } of drawn.errors)
          if (client !== null) names.set(client, (await needs.clients.find(client))?.client_name ?? client);
        const [change] = signing
          .flatMap(({ alg, next_change_at }) => (next_change_at === null ? [] : [{ alg, at: next_change_at }]))
          .toSorted((a, b) => a.at.localeCompare(b.at));
        await desk.show(visit, 'overview', (t, { tag }) => {
          const zone = visit.account.claims.zoneinfo;
          const dates = datesIn(tag, zone);
          const day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', timeZone: 'UTC' });
          const inWords = ({ bars, ...chart }: (typeof drawn)['sign_ins']) => ({
            ...chart,
            bars: bars.map((bar) => ({ ...bar, label: day.format(new Date(bar.day)) })),
          });
          return {
            sign_ins: inWords(drawn.sign_ins),
            failures: inWords(drawn.failures),
            days: DAYS,
            people: drawn.people,
            sessions: { count: drawn.sessions, more: drawn.sessions === MOST_SESSIONS },
            errors: drawn.errors.map(({ error, client, count, reference }) => ({
              error,
              count,
              app: client === null ? null : (names.get(client) ?? client),
              url: `${desk.url('/audit')}?type=request_refused${client === null ? '' : `&target=${encodeURIComponent(client)}`}`,
              reference,
            })),
            suspended: drawn.suspended,
            apps: drawn.apps,
            key_change: change ? dates.day(change.at) : null,
            attention: {
              weak: weak.map(({ id, name }) => ({ name, url: desk.url(`/people/${id}`) })),
              no_mail: !mailAvailable,
              no_apps: drawn.apps.count === 0 && !drawn.apps.more,
              ending: ending.slice(0, MOST_ENDING).map(({ client, secret, last }) => ({
                name: client.client_name,
                url: desk.url(`/${kindOf(client) === 'api' ? 'apis' : 'apps'}/${encodeURIComponent(client.id)}`),
                at: dates.day(secret.expires_at),
                last,
              })),
              compromised: signing.some(({ compromised, state }) => compromised && state !== 'removed'),
            },
            events: entries(t, tag, zone),
            urls: {
              people: desk.url('/people'),
              suspended: `${desk.url('/people')}?state=suspended`,
              apps: desk.url('/apps'),
              new_app: desk.url('/apps/new'),
              keys: desk.url('/keys'),
              sessions: desk.url('/sessions'),
              refused: `${desk.url('/audit')}?type=request_refused`,
              audit: desk.url('/audit'),
              sign_ins: `${desk.url('/audit')}?type=sign_in`,
              failures: `${desk.url('/audit')}?type=wrong_password`,
            },
          };
        });
      });
    },
  };
}
