/** Apps that sign people in without registration, as admins handle them: seen, denied one at a time, and forgotten when nobody uses them. */
import type { Audit } from '../audit/audit.ts';
import type { Client } from '../clients/client.ts';
import { documentIdProblem } from '../clients/documents.ts';
import type { ClientDocument, ClientDocumentStore } from '../clients/documents.ts';
import type { Consent } from '../consents/consent.ts';
import { invalidInput, notFound } from '../kernel/errors.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Endings } from '../logout/endings.ts';

const REASON_MAX = 300;
const BATCH = 50;
const PAGE = 50;

/** One of them, with what its document says of itself. */
export interface KnownDocument extends ClientDocument {
  /** The name it gives itself; null where it was denied before anybody allowed it. */
  claimed_name: string | null;
  redirect_uris: string[];
}

export interface ClientDocuments {
  /** In the order of their URLs. */
  list(page: PageRequest): Promise<Page<KnownDocument>>;
  /**
   * Nobody signs in to it any more, from within a second on at every instance; all its grants and what people allowed it end. It need not
   * be known yet. @throws invalid_input.
   */
  deny(clientId: string, reason?: string): Promise<void>;
  /** It may ask people again, who are asked anew. @throws not_found where it is not denied. */
  allow(clientId: string): Promise<void>;
  /** Forgets those that got no tokens for so many seconds. Several processes at once, or one that is stopped in between, do no harm. */
  removeUnused(seconds: number): Promise<number>;
}

interface Needs {
  store: ClientDocumentStore;
  clients: { find(id: string): Promise<Client | undefined>; delete(id: string): Promise<boolean> };
  consents: {
    listByClient(clientId: string, limit: number): Promise<Consent[]>;
    delete(accountId: string, clientId: string): Promise<boolean>;
  };
  endings: Pick<Endings, 'app'>;
  audit: Pick<Audit, 'act'>;
}

const of = (id: string) => ({ kind: 'client' as const, id });

export function createClientDocuments({ store, clients, consents, endings, audit }: Needs): ClientDocuments {
  /** A grant stands behind each consent, and each is withdrawn when its grants have ended: whoever is stopped goes on there. */
  async function endAll(clientId: string): Promise<void> {
    for (;;) {
      const given = await consents.listByClient(clientId, BATCH);
      for (const { account_id: accountId } of given) {
        await endings.app({ accountId, clientId, cause: 'app_withdrawn' });
        await consents.delete(accountId, clientId);
      }
      if (given.length < BATCH) break;
    }
    await clients.delete(clientId);
  }

  /** Of a URL without a query: what goes by the same one with some. */
  async function endWithQueries(clientId: string): Promise<void> {
    for (let after = `${clientId}?`; ;) {
      const found = (await store.list(after, BATCH)).map((document) => document.client_id);
      const own = found.filter((id) => id.startsWith(`${clientId}?`));
      for (const id of own) await endAll(id);
      if (own.length < BATCH) return;
      after = own.at(-1)!;
    }
  }

  return {
    async list({ after = '', limit = PAGE }) {
      const found = await store.list(after, limit + 1);
      const items = await Promise.all(
        found.slice(0, limit).map(async (document) => {
          const client = await clients.find(document.client_id);
          return {
            ...document,
            claimed_name: client?.document_name ?? null,
            redirect_uris: client?.redirect_uris ?? [],
          };
        }),
      );
      return { items, next: found.length > limit ? items.at(-1)!.client_id : undefined };
    },
    async deny(clientId, reason) {
      const problem = documentIdProblem(clientId);
      if (problem) throw invalidInput(`the URL ${problem}`, 'client_id');
      const why = reason?.trim() || null;
      if (why !== null && why.length > REASON_MAX)
        throw invalidInput(`reason must have at most ${REASON_MAX} characters`, 'reason');
      // First the mark: nothing new begins while the old is ended.
      await store.deny(clientId, { at: new Date().toISOString(), reason: why });
      await endAll(clientId);
      await endWithQueries(clientId);
      await audit.act('client_denied', of(clientId), why === null ? {} : { reason: why });
    },
    async allow(clientId) {
      if (!(await store.allow(clientId))) throw notFound(`${clientId} is not denied`);
      // What began just before it was denied may have been kept since.
      await endAll(clientId);
      await store.remove(clientId);
      await audit.act('client_allowed', of(clientId));
    },
    async removeUnused(seconds) {
      const before = new Date(Date.now() - seconds * 1000).toISOString();
      let removed = 0;
      for (;;) {
        const unused = await store.listUnused(before, BATCH);
        for (const { client_id } of unused) {
          await endAll(client_id);
          if (!(await store.remove(client_id))) continue;
          removed += 1;
          await audit.act('client_deleted', of(client_id), { unused: 'true' });
        }
        if (unused.length < BATCH) return removed;
      }
    },
  };
}
