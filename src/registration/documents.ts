/**
 * Apps that need no registration: their id is a URL, and the document there says what they are. What nobody has allowed yet is held
 * in memory; once a person allows it, it is kept beside the apps that are registered. So requests of strangers write nothing.
 */
import type { Client } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import { DocumentProblem, documentIdProblem, isDocumentId, withoutQuery } from '../clients/documents.ts';
import type { ClientDocument, ClientDocumentStore } from '../clients/documents.ts';
import type { Config } from '../config/schema.ts';
import { busy, conflict, isGatehouseError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { readDocument, secondsFresh } from './document.ts';
import type { DocumentSettings } from './document.ts';

const MAX_BYTES = 16 * 1024;
const MOST_HELD = 500;
const MOST_AT_ONCE = 20;
/** For how long a document counts that cannot be read again, because nobody answers at its address. */
const OUTAGE_MS = 86_400_000;
/** How soon it is tried again. */
const RETRY_MS = 60_000;
const SAME_REQUEST_MS = 1000;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;

interface Fetched {
  type: string;
  body: Buffer;
  headers: { get(name: string): string | null };
}

interface Needs {
  issuer: string;
  settings: Config['client_documents'];
  allowPrivate: boolean;
  isPublicHost(hostname: string): boolean;
  store: ClientDocumentStore;
  clients: Pick<Clients, 'find' | 'draft' | 'keep'>;
  /** @throws Error where it is not to be had; `status` where it answered with one. */
  fetch(url: string, limits: { maxBytes: number; allowPrivate: boolean; accept: string }): Promise<Fetched>;
  /** Counts what is read for whoever asks. @throws limited. */
  spend(): Promise<void>;
  log: Logger;
}

export interface Documents {
  /**
   * @param mayRead whether the request is one that an unknown app can begin something with.
   * @returns the client, or undefined where it is not known and is not to be asked for. @throws DocumentProblem, limited.
   */
  resolve(id: string, mayRead: boolean): Promise<Client | undefined>;
  /** A person is about to allow it: from now on it is kept. Does nothing for what is registered. */
  keep(id: string): Promise<void>;
}

interface Held {
  until: number;
  client: Client;
  fetched_at: string;
}

const INNER_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)\.?$/i;

interface Failure {
  at: number;
  /** Its address says that there is none, or not this one: that counts at once. */
  gone: boolean;
  problem: string;
}

const NOT_THERE = [404, 410];
const isGone = (error: unknown): boolean =>
  error instanceof DocumentProblem || NOT_THERE.includes((error as { status?: number }).status ?? 0);

/** Whether what was read is not so old that it must be read again before anything. */
const isRecent = ({ fetched_at }: ClientDocument): boolean => Date.parse(fetched_at ?? '') > Date.now() - OUTAGE_MS;

/** Whether an entry of a list is about it. @param host its own, as it is compared with those of the list. */
function isNamed(list: string[], id: string, host: string): boolean {
  return list.some((entry) =>
    entry.startsWith('https:') ? entry === id : entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : entry === host,
  );
}

/** A host without a port is denied at every port, a URL with every query: whoever has it can have another. */
const isDenied = (list: string[], id: string): boolean => {
  const { host, hostname } = new URL(id);
  return isNamed(list, id, host) || isNamed(list, id, hostname) || isNamed(list, withoutQuery(id), host);
};

const isoAt = (at: number) => new Date(at).toISOString();
/** What its document says of it. */
const gist = (client: Client) => JSON.stringify({ ...client, created_at: '', updated_at: '', version: 0 });

export function createDocuments(needs: Needs): Documents {
  const { issuer, settings, allowPrivate, isPublicHost, store, clients, fetch, spend, log } = needs;
  const held = new Map<string, Held>();
  const failures = new Map<string, Failure>();
  const underWay = new Map<string, Promise<Client>>();
  const reading: DocumentSettings = { client_documents: settings, allowPrivate, isPublicHost };

  function problemOf(id: string): string | undefined {
    const problem = documentIdProblem(id);
    if (problem) return problem;
    const { origin, host, hostname } = new URL(id);
    if (origin === new URL(issuer).origin) return 'is an address of this provider';
    if (!allowPrivate && (INNER_NAME.test(hostname) || /^[\d.]+$|^\[/.test(hostname) || !isPublicHost(hostname)))
      return 'does not name a public host';
    if (isDenied(settings.deny, id)) return 'is denied by client_documents.deny';
    if (settings.mode === 'listed' && !isNamed(settings.allow, id, host)) return 'is not among client_documents.allow';
    return undefined;
  }

  async function read(id: string): Promise<Held> {
    const now = Date.now();
    const { type, body, headers } = await fetch(id, { maxBytes: MAX_BYTES, allowPrivate, accept: 'application/json' });
    if (!JSON_TYPE.test(type.split(';')[0]!.trim().toLowerCase()))
      throw new DocumentProblem(`is of type ${type.slice(0, 100)}, not JSON`);
    try {
      const client = await clients.draft(readDocument(id, body, reading), id);
      return { client, until: now + secondsFresh(headers, now) * 1000, fetched_at: isoAt(now) };
    } catch (error) {
      if (isGatehouseError(error, 'invalid_input')) throw new DocumentProblem(error.message);
      throw error;
    }
  }

  const heldNow = (id: string): Client | undefined => {
    const entry = held.get(id);
    return entry && entry.until > Date.now() ? entry.client : undefined;
  };

  async function readUnknown(id: string): Promise<Client> {
    const meanwhile = heldNow(id);
    if (meanwhile) return meanwhile;
    // One request may ask for its client more than once.
    const failure = failures.get(id);
    if (failure && failure.at > Date.now() - SAME_REQUEST_MS) throw new DocumentProblem(failure.problem);
    await spend();
    try {
      const fresh = await read(id);
      failures.delete(id);
      if (held.size >= MOST_HELD) held.delete(held.keys().next().value!);
      held.set(id, fresh);
      return fresh.client;
    } catch (error) {
      const problem = asProblem(id, error);
      noteFailure(id, { at: Date.now(), gone: isGone(error), problem: problem.message });
      throw problem;
    }
  }

  function noteFailure(id: string, failure: Failure): void {
    if (failures.size >= settings.most + MOST_HELD) failures.clear();
    failures.set(id, failure);
  }

  async function readAgain(id: string, known: Client, document: ClientDocument): Promise<Client> {
    try {
      const fresh = await read(id);
      if (gist(known) !== gist(fresh.client)) await clients.keep(fresh.client);
      await store.noteRead(id, { fetched_at: fresh.fetched_at, fresh_until: isoAt(fresh.until) });
      failures.delete(id);
      return fresh.client;
    } catch (error) {
      const problem = asProblem(id, error);
      const gone = isGone(error);
      noteFailure(id, { at: Date.now(), gone, problem: problem.message });
      if (!gone && isRecent(document)) return known;
      throw problem;
    }
  }

  /** @throws what is a failure of ours. */
  function asProblem(id: string, error: unknown): DocumentProblem {
    if (isGatehouseError(error)) throw error;
    const problem = error instanceof DocumentProblem ? error.message : `could not be read: ${(error as Error).message}`;
    log.warn({ client_id: id, problem }, 'the metadata document of an app is not usable');
    return new DocumentProblem(problem);
  }

  /** Of several requests at once one reads. */
  async function once(id: string, work: () => Promise<Client>): Promise<Client> {
    const running = underWay.get(id);
    if (running) return running;
    if (underWay.size >= MOST_AT_ONCE) throw busy('too many documents are being read');
    const begun = work().finally(() => underWay.delete(id));
    underWay.set(id, begun);
    return begun;
  }

  async function current(id: string, known: Client, document: ClientDocument, mayRead: boolean): Promise<Client> {
    if (Date.parse(document.fresh_until ?? '') > Date.now()) return known;
    const failure = failures.get(id);
    const usable = isRecent(document) && failure?.gone !== true;
    if (failure && failure.at > Date.now() - RETRY_MS) {
      if (usable) return known;
      throw new DocumentProblem(failure.problem);
    }
    const again = once(id, () => readAgain(id, known, document));
    if (mayRead || !usable) return again;
    // Programs that redeem and refresh do not wait for a stranger's server.
    again.catch(() => undefined);
    return known;
  }

  async function resolve(id: string, mayRead: boolean): Promise<Client | undefined> {
    if (settings.mode === 'off') return undefined;
    const problem = problemOf(id);
    if (problem) throw new DocumentProblem(problem);
    const bare = withoutQuery(id);
    const [document, plain] = await Promise.all([store.find(id), bare === id ? undefined : store.find(bare)]);
    if (document?.denied_at || plain?.denied_at) throw new DocumentProblem('is denied by an admin');
    const known = document?.fetched_at ? await clients.find(id) : undefined;
    if (known) return current(id, known, document!, mayRead);
    const client = heldNow(id);
    if (client) return client;
    held.delete(id);
    if (!mayRead) return undefined;
    if ((await store.count()) >= settings.most) throw new DocumentProblem('is one too many for client_documents.most');
    return once(id, () => readUnknown(id));
  }

  return {
    resolve,
    async keep(id) {
      if (!isDocumentId(id)) return;
      try {
        await resolve(id, true);
      } catch (error) {
        // It was denied, or its site went away, while its person was being asked.
        throw error instanceof DocumentProblem ? conflict('This app cannot be used any more.') : error;
      }
      const entry = held.get(id);
      if (!entry) return;
      await clients.keep(entry.client);
      await store.noteRead(id, { fetched_at: entry.fetched_at, fresh_until: isoAt(entry.until) });
      held.delete(id);
    },
  };
}
