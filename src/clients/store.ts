import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Search } from '../kernel/search.ts';
import type { Client } from './client.ts';

/** Where clients are kept. Every write survives power loss once its promise resolves. */
export interface ClientStore {
  /** @throws duplicate when the id or, of an API, the resource is taken. */
  insert(client: Client): Promise<void>;
  find(id: string): Promise<Client | undefined>;
  /** The API with this identifier. */
  findByResource(resource: string): Promise<Client | undefined>;
  /** Replaces the client if its version is still `client.version`. @throws conflict, not_found. */
  update(client: Client): Promise<Client>;
  /** @param version of which it must be; undefined is any. @returns whether there was one. */
  delete(id: string, version?: number): Promise<boolean>;
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Client>>;
  /** By the beginnings of words and by marks, as `wordsOfClient` has them. What was written is found at once. */
  search(search: Search): Promise<Page<Client>>;
}
