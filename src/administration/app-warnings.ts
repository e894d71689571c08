/** Which apps there are to be taken for, and what of one is worth a second look. */
import { isBuiltIn } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { crowdOf, lookAlikes } from '../clients/look-alikes.ts';
import type { Crowd, Looks, Warning } from '../clients/look-alikes.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';

/** Milliseconds that the other apps are held: somebody types, and each letter asks. */
const HELD = 30_000;
/** Few at a time: between two pages others have their turn. */
const PAGE = 50;
/** Look-alikes of more than those are not looked for. */
const MOST = 2000;

interface Needs {
  clients: { list(page: PageRequest): Promise<Page<Client>> };
  production: boolean;
}

export interface AppWarnings {
  /** Of an app as it is, or as it would be. */
  of(app: Looks): Promise<Warning[]>;
}

export const looksOf = ({ id, type, client_name, redirect_uris }: Client): Looks => ({
  id,
  type,
  name: client_name,
  redirect_uris,
});

export function createAppWarnings({ clients, production }: Needs): AppWarnings {
  let held: { until: number; all: Promise<Crowd> } | undefined;

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
      const now = { until: Date.now() + HELD, all: read() };
      now.all.catch(() => (held = undefined));
      held = now;
    }
    return held.all;
  }

  return {
    of: async (app) => lookAlikes(app, await all(), production),
  };
}
