/**
 * Clients whose id is an https URL, at which a document says what would otherwise be registered (OAuth Client ID Metadata
 * Document, draft-ietf-oauth-client-id-metadata-document). Here is what is kept of them beside the client's record, and which
 * URLs can be such an id.
 */
export interface ClientDocument {
  /** The URL. */
  client_id: string;
  /** When its document was last read, ISO 8601; null where it never was, as of a URL that was denied beforehand. */
  fetched_at: string | null;
  /** Until when it is taken for current; ISO 8601. */
  fresh_until: string | null;
  /** When the app last got tokens; when a person first allowed it, until it does. */
  used_at: string;
  /** Since when nobody can sign in to it, whatever the lists in the configuration say. */
  denied_at: string | null;
  denied_reason: string | null;
}

/** Where they are kept. Writes survive power loss, but for the time of the last use. */
export interface ClientDocumentStore {
  find(clientId: string): Promise<ClientDocument | undefined>;
  /** Notes that it was read. Makes the record where there is none; what it says of uses and denial stays. */
  noteRead(clientId: string, read: { fetched_at: string; fresh_until: string }): Promise<void>;
  /** @param at ISO 8601; an earlier time changes nothing. */
  noteUse(clientId: string, at: string): Promise<void>;
  /** Makes the record where there is none. Denying what is denied changes the reason alone. */
  deny(clientId: string, denied: { at: string; reason: string | null }): Promise<void>;
  /** @returns whether it was denied. */
  allow(clientId: string): Promise<boolean>;
  /** How many there are that are not denied. */
  count(): Promise<number>;
  /** In the order of their ids, from the first after `after`. */
  list(after: string, limit: number): Promise<ClientDocument[]>;
  /** Those not used since `before` (ISO 8601) and not denied, longest unused first. */
  listUnused(before: string, limit: number): Promise<ClientDocument[]>;
  /** @returns whether there was one. */
  remove(clientId: string): Promise<boolean>;
}

/** Why such a client cannot be used: for the log and for whoever develops it. */
export class DocumentProblem extends Error {}

/** Longer ones are refused: an id is stored, logged and shown. */
const LONGEST_ID = 200;

/** Whether an id can only be that of a document: what is registered here has no such ids. */
export const isDocumentId = (id: string): boolean => /^https:\/\//i.test(id);

/**
 * What speaks against a URL as a client's id, or undefined (draft, section 3). It must be written in the one normal form, so that no two
 * ids lead to one document, and readers agree on its host.
 */
export function documentIdProblem(id: string): string | undefined {
  if (id.length > LONGEST_ID) return `is longer than ${LONGEST_ID} characters`;
  const url = URL.parse(id);
  if (url?.protocol !== 'https:') return 'is not an https URL';
  if (url.username || url.password) return 'has a user name';
  if (id.includes('#')) return 'has a fragment';
  if (url.pathname === '/') return 'has no path';
  // The same site with a dot behind it would be another host to whoever compares names.
  if (url.hostname.endsWith('.')) return 'is not in normal form';
  if (url.href !== id || /%2e|%2f|%5c|\/\//i.test(url.pathname) || id.endsWith('?')) return 'is not in normal form';
  return undefined;
}

/** The id without its query: what is denied is denied with whatever query. */
export const withoutQuery = (id: string): string => id.replace(/\?.*$/s, '');
