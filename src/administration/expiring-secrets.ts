/** Secrets of apps and APIs that end soon: told to admins, and to the log, before an app stands outside. */
import { EXPIRING } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { factsOf } from '../clients/secrets.ts';
import type { SecretFacts } from '../clients/secrets.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Page } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';

export interface ExpiringSecret {
  client: Client;
  secret: SecretFacts & { expires_at: string };
  /** Whether nothing is in force after it. */
  last: boolean;
}

interface Needs {
  clients: { search(search: Search): Promise<Page<Client>> };
}

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;
const PAGE = 200;
/** Clients that are looked at: those with a secret that ends at all. */
const MOST = 1000;

/** The soonest first. */
export async function expiringSecrets({ clients }: Needs, now = Date.now()): Promise<ExpiringSecret[]> {
  const found: Client[] = [];
  let after: string | undefined;
  do {
    const page = await clients.search({ having: [EXPIRING], after, limit: PAGE });
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined && found.length < MOST);
  const until = new Date(now + SOON_MS).toISOString();
  return found
    .flatMap((client) => {
      const all = factsOf(client);
      return all.flatMap((secret) => {
        const { expires_at } = secret;
        if (expires_at === null || expires_at > until) return [];
        const last = all.every((one) => one.expires_at !== null && one.expires_at <= expires_at);
        return [{ client, secret: { ...secret, expires_at }, last }];
      });
    })
    .toSorted((a, b) => a.secret.expires_at.localeCompare(b.secret.expires_at));
}

const FIRST_MS = 30_000;

/** Writes them to the log, at the start and once a day. @returns a function that stops it. */
export function startWarningOfSecrets({ log, ...needs }: Needs & { log: Logger }): () => void {
  const run = () =>
    void warnOfSecrets({ ...needs, log }).catch((error: unknown) =>
      log.error({ err: error }, 'looking for secrets that end soon failed; it is tried again'),
    );
  const first = setTimeout(run, FIRST_MS).unref();
  const timer = setInterval(run, DAY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}

export async function warnOfSecrets({ log, ...needs }: Needs & { log: Logger }): Promise<void> {
  for (const { client, secret, last } of await expiringSecrets(needs))
    log.warn(
      { client_id: client.id, secret: secret.id, expires_at: secret.expires_at, last },
      last ? 'the last secret of a client ends soon' : 'a secret of a client ends soon; another one goes on',
    );
}
