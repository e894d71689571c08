/**
 * Receipts: what the page after a log-out says, app by app. Who holds the ticket may look; it is good for an hour, and
 * stored hashed. A receipt names apps and what became of them, never a person.
 */
import { epochSeconds } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Ended } from './endings.ts';
import type { Queue } from './queue.ts';

const KIND = 'LogOutReceipt';
const TTL = 3600;

/**
 * `confirmed`: the app answered that it has signed the person out. `telling`: not yet. `silent`: it did not answer, or refused, and is told
 * again later. `given_up`: it is told no more. `asked`: a frame of its was opened, and nobody knows what it did. `untold`: it has
 * no way to be told.
 */
export type AppState = 'confirmed' | 'telling' | 'silent' | 'given_up' | 'asked' | 'untold';

export interface Receipt {
  apps: { name: string; state: AppState; frames: string[] }[];
  /** Where the person goes on to; undefined where no app asked for it. */
  continue_to: string | undefined;
  /** Seconds since the log-out. */
  age: number;
}

/** An app as it is kept. */
type Kept = { client_id: string; name: string } & ({ delivery: string } | { frame: string } | { untold: true });

interface Stored {
  log_out: string;
  at: number;
  apps: Kept[];
  continue_to?: string | undefined;
}

export interface Receipts {
  /** @returns a ticket, or undefined where there is nothing to tell of. */
  issue(ended: Ended, options?: { continueTo?: string | undefined }): Promise<string | undefined>;
  read(ticket: string): Promise<Receipt | undefined>;
}

interface ClientFacts {
  client_name: string;
  backchannel_logout_uri?: string | null;
  frontchannel_logout_uri?: string | null;
}

interface Needs {
  records: {
    upsert(kind: string, id: string, payload: Record<string, unknown>, ttl: number): Promise<void>;
    find(kind: string, id: string): Promise<Record<string, unknown> | undefined>;
  };
  queue: Pick<Queue, 'idOf' | 'progressOf'>;
  clients: { find(id: string): Promise<ClientFacts | undefined> };
  issuer: string;
  /** Apps of ours, which look for the session at each request. */
  isOwn(clientId: string): boolean;
}

/** OpenID Connect Front-Channel Logout 1.0, section 2: the app's address with who asks and which session. */
export function frameUrl(uri: string, issuer: string, sid: string): string {
  const url = new URL(uri);
  url.searchParams.set('iss', issuer);
  url.searchParams.set('sid', sid);
  return url.href;
}

/** What is worst comes first. */
const FIRST: AppState[] = ['silent', 'given_up', 'untold', 'telling', 'asked', 'confirmed'];

export function createReceipts({ records, queue, clients, issuer, isOwn }: Needs): Receipts {
  async function keptOf({ id, apps }: Ended): Promise<Kept[]> {
    const all = await Promise.all(
      apps.map(async ({ client_id, sid }): Promise<Kept[]> => {
        const client = isOwn(client_id) ? undefined : await clients.find(client_id);
        if (!client) return [];
        const { client_name: name, backchannel_logout_uri: back, frontchannel_logout_uri: front } = client;
        if (back) return [{ client_id, name, delivery: queue.idOf(id, { client_id, sid }) }];
        if (front) return [{ client_id, name, frame: frameUrl(front, issuer, sid ?? '') }];
        return [{ client_id, name, untold: true }];
      }),
    );
    return all.flat();
  }

  return {
    async issue(ended, { continueTo } = {}) {
      const apps = await keptOf(ended);
      if (apps.every((app) => 'untold' in app)) return undefined;
      const ticket = newId();
      const stored: Stored = { log_out: ended.id, at: epochSeconds(), apps, continue_to: continueTo };
      await records.upsert(KIND, ticket, { ...stored }, TTL);
      return ticket;
    },

    async read(ticket) {
      const stored = (await records.find(KIND, ticket)) as Stored | undefined;
      if (!stored) return undefined;
      const progress = await queue.progressOf(stored.log_out);

      function stateOf(app: Kept): AppState {
        if ('frame' in app) return 'asked';
        if ('untold' in app) return 'untold';
        const { state, problem = null, attempts = 0 } = progress.get(app.delivery) ?? {};
        if (state === undefined) return 'silent';
        if (state !== 'waiting') return state;
        return problem === null && attempts <= 1 ? 'telling' : 'silent';
      }

      // An app that was signed in to twice is named once, with what is worst.
      const byClient = Map.groupBy(stored.apps, ({ client_id }) => client_id);
      const apps = [...byClient.values()].map((own) => {
        const states = own.map(stateOf);
        const frames = own.flatMap((app) => ('frame' in app ? [app.frame] : []));
        return { name: own[0]!.name, state: FIRST.find((state) => states.includes(state))!, frames };
      });
      return {
        apps,
        continue_to: stored.continue_to,
        age: epochSeconds() - stored.at,
      };
    },
  };
}
