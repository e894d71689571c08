import type { Consent } from './consent.ts';

/** Where consents are kept, one per account and client. A write survives power loss once its promise resolves, where nothing else is said. */
export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** Adds or replaces. @param options `durable: false`: power loss may take it back. */
  put(consent: Consent, options?: { durable: boolean }): Promise<void>;
  listByAccount(accountId: string): Promise<Consent[]>;
  /** Some of those that people gave one app, in a steady order. */
  listByClient(clientId: string, limit: number): Promise<Consent[]>;
  /** Notes when the app last made use of it, unless there is a later date; nothing where there is no consent. Power loss may take it back. */
  noteUse(accountId: string, clientId: string, at: string): Promise<void>;
  /** Withdraws one. @returns whether there was one. */
  delete(accountId: string, clientId: string): Promise<boolean>;
  deleteByAccount(accountId: string): Promise<void>;
  deleteByClient(clientId: string): Promise<void>;
}
