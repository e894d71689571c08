/** Which apps there are to be taken for, and what of one is worth a second look. */
import { isBuiltIn } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { crowdOf, lookAlikes } from '../clients/look-alikes.ts';
import type { Crowd, Looks, Warning } from '../clients/look-alikes.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Principal } from './principal.ts';

/** Milliseconds that the other apps are held: somebody types, and each letter asks. */
const HELD = 30_000;
/** Few at a time: between two pages others have their turn. */
const PAGE = 50;
/** They name another app. */
const ABOUT_OTHERS: Warning['code'][] = ['name_near', 'host_near'];
/** Look-alikes of more than those are not looked for. */
const MOST = 2000;

interface Needs {
  clients: { list(page: PageRequest): Promise<Page<Client>> };
  production: boolean;
  /** A warning in words. */
  say(warning: Warning): string;
}

/** As programs and commands are told of it. */
export interface ToldWarning extends Warning {
  /** In English, for people. */
  message: string;
}

export interface AppWarnings {
  /** Of an app as it is, or as it would be. Apps that another process registered in the last half minute may be missed. */
  of(app: Looks): Promise<Warning[]>;
  /** Of an app as it would be. Who may not see apps is told of none but this. */
  told(by: Principal, app: Looks): Promise<ToldWarning[]>;
  /** Of one that was registered or changed just now: others are compared with it from now on. Never fails: what was done stands. */
  toldOf(by: Principal, client: Client): Promise<ToldWarning[]>;
}

export const looksOf = ({ id, type, client_name, redirect_uris }: Client): Looks => ({
  id,
  type,
  name: client_name,
  redirect_uris,
});

export function createAppWarnings({ clients, production, say }: Needs): AppWarnings {
  let held: { until: number; all: Promise<Crowd> } | undefined;
  /** What this process did since the others were read. */
  const recent = new Map<string, Looks>();

  async function read(): Promise<Crowd> {
    const found: Looks[] = [];
    let after: string | undefined;
    do {
      const page = await clients.list({ after, limit: PAGE });
      found.push(...page.items.filter(({ id }) => !isBuiltIn(id)).map(looksOf));
      after = page.next;
    } while (after !== undefined && found.length < MOST);
    return crowdOf(found);
  }

  function all(): Promise<Crowd> {
    if (!held || held.until < Date.now()) {
      recent.clear();
      const now = { until: Date.now() + HELD, all: read() };
      now.all.catch(() => (held = undefined));
      held = now;
    }
    return held.all;
  }

  async function crowd(): Promise<Crowd> {
    const { names, sites } = await all();
    if (recent.size === 0) return { names, sites };
    const newer = crowdOf([...recent.values()]);
    return {
      names: [...names.filter(({ id }) => id === undefined || !recent.has(id)), ...newer.names],
      sites: [...sites, ...newer.sites],
    };
  }

  const of = async (app: Looks): Promise<Warning[]> => lookAlikes(app, await crowd(), production);

  async function told(by: Principal, app: Looks): Promise<ToldWarning[]> {
    const found = (await of(app)).filter(({ code }) => by.may('clients:read') || !ABOUT_OTHERS.includes(code));
    return found.map((warning) => ({ ...warning, message: say(warning) }));
  }

  return {
    of,
    told,
    async toldOf(by, client) {
      if (isBuiltIn(client.id)) return [];
      try {
        const found = await told(by, looksOf(client));
        recent.set(client.id, looksOf(client));
        return found;
      } catch {
        // The answer may be the one that holds the secret.
        return [];
      }
    },
  };
}
