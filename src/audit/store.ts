import type { Page, PageRequest } from '../kernel/paging.ts';
import type { AuditEvent } from './event.ts';

/** Where events are kept. Nothing is ever changed but for an erasure. A write survives a killed process. */
export interface AuditStore {
  append(event: AuditEvent): Promise<void>;
  /** Newest first. */
  listByAccount(accountId: string, page: PageRequest): Promise<Page<AuditEvent>>;
  /** Puts the pseudonym in the place of the account, and takes away where from, by what and all particulars. Survives power loss. */
  pseudonymize(accountId: string, pseudonym: string): Promise<void>;
  /** Removes events from before a time (ISO 8601), at most `limit`. @returns how many. */
  purge(before: string, limit: number): Promise<number>;
}
