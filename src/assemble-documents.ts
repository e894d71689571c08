/** Wires apps that sign people in without registration: where they are off, no document is ever read. */
import type { ClientDocuments } from './administration/client-documents.ts';
import type { Client } from './clients/client.ts';
import { DocumentProblem, isDocumentId } from './clients/documents.ts';
import type { ClientDocumentStore } from './clients/documents.ts';
import type { Clients } from './clients/clients.ts';
import type { Config } from './config/schema.ts';
import type { ConsentStore } from './consents/store.ts';
import type { Afterwards } from './http/afterwards.ts';
import type { CurrentCaller } from './kernel/caller.ts';
import { isPublicLiteral } from './kernel/addresses.ts';
import { invalidInput } from './kernel/errors.ts';
import type { Logger } from './kernel/logger.ts';
import type { Limits } from './limits/limits.ts';
import type { ProviderSwitch } from './oidc/provider-switch.ts';
import { noteRegisteredUses } from './oidc/registered-uses.ts';
import type { Documents } from './registration/documents.ts';

const EVERY_MS = 3_600_000;
const FIRST_MS = 25_000;

interface Needs {
  config: Config;
  storage: { clientDocuments: ClientDocumentStore };
  clients: Clients;
  callers: { current: CurrentCaller };
  limits: Limits;
  log: Logger;
}

export async function assembleDocuments(needs: Needs): Promise<Documents | undefined> {
  const { config, storage, callers, limits } = needs;
  if (config.client_documents.mode === 'off') return undefined;
  const { fetchUntrusted } = await import('./http/fetch-untrusted.ts');
  const { createDocuments } = await import('./registration/documents.ts');
  return createDocuments({
    ...needs,
    issuer: config.issuer,
    settings: config.client_documents,
    allowPrivate: config.outbound.allow_private,
    isPublicHost: isPublicLiteral,
    store: storage.clientDocuments,
    fetch: fetchUntrusted,
    spend: () => limits.spend('client_document', { address: callers.current()?.address ?? 'unknown' }),
  });
}

/** What a person allows is kept first, so that no consent is to an app that is not there. */
export const keepingApps = <Store extends Pick<ConsentStore, 'put'>>(
  consents: Store,
  documents: Documents | undefined,
): Store =>
  documents
    ? {
        ...consents,
        async put(consent, options) {
          await documents.keep(consent.client_id);
          await consents.put(consent, options);
        },
      }
    : consents;

/** Apps that are registered or known by a document. `find` throws invalid_input saying why a document cannot be used. */
export const findingApps = (clients: Pick<Clients, 'find'>, documents: Documents | undefined) => ({
  async find(id: string): Promise<Client | undefined> {
    if (!isDocumentId(id)) return clients.find(id);
    try {
      return await documents?.resolve(id, true);
    } catch (error) {
      throw error instanceof DocumentProblem ? invalidInput(`${id} ${error.message}`, 'client_id') : error;
    }
  },
});

interface ExpiryNeeds {
  config: Config;
  provider: ProviderSwitch['provider'];
  storage: { clientDocuments: ClientDocumentStore };
  clientDocuments: ClientDocuments;
  afterwards: Afterwards;
  log: Logger;
}

/** Notes when they are used, and hourly forgets those that are not. @returns a function that stops it. */
export function startForgettingDocuments(needs: ExpiryNeeds): () => void {
  const { config, provider, storage, clientDocuments, afterwards, log } = needs;
  const { mode, unused_after } = config.client_documents;
  if (mode === 'off') return () => undefined;
  noteRegisteredUses({
    provider,
    concerns: (client) => client['document_name'] !== undefined,
    noteUse: (id, at) => storage.clientDocuments.noteUse(id, at),
    after: afterwards.after,
  });
  if (unused_after === 0) return () => undefined;
  const run = async () => {
    try {
      const count = await clientDocuments.removeUnused(unused_after);
      if (count > 0) log.info({ count }, 'unused apps without registration were forgotten');
    } catch (error) {
      log.error({ err: error }, 'forgetting unused apps failed; it is tried again');
    }
  };
  const first = setTimeout(() => void run(), FIRST_MS).unref();
  const timer = setInterval(() => void run(), EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}
