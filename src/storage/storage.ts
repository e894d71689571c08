/**
 * Storage: the drivers behind the rooms' store interfaces. Only here is a database library imported. A driver maps every
 * failure to reach its database to the `unavailable` error; the rooms never see a driver's own errors.
 */
import type { InvitationStore } from '../accounts/invitation.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { ClientDocumentStore } from '../clients/documents.ts';
import type { RegistrationStore } from '../clients/registrations.ts';
import type { ClientStore } from '../clients/store.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { PasskeyStore } from '../factors/passkey-store.ts';
import type { FactorStore } from '../factors/store.ts';
import type { IdentityStore } from '../federation/store.ts';
import type { LiveDocumentStore } from '../kernel/live-documents.ts';
import type { CounterStore } from '../limits/store.ts';
import type { KeyRingStore, KeySetFetchStore } from '../keys/store.ts';
import type { LogoutStore } from '../logout/store.ts';
import type { OutboxStore } from '../mail/store.ts';
import type { ProtocolStore } from '../protocol/store.ts';
import type { RoleStore } from '../roles/store.ts';

export interface Storage {
  /** For people: `SQLite in ./data/gatehouse.db`. Never holds credentials. */
  description: string;
  accounts: AccountStore;
  invitations: InvitationStore;
  clients: ClientStore;
  consents: ConsentStore;
  audit: AuditStore;
  factors: FactorStore;
  identities: IdentityStore;
  passkeys: PasskeyStore;
  keyRings: KeyRingStore;
  keySetFetches: KeySetFetchStore;
  protocol: ProtocolStore;
  outbox: OutboxStore;
  logout: LogoutStore;
  counters: CounterStore;
  registrations: RegistrationStore;
  clientDocuments: ClientDocumentStore;
  roles: RoleStore;
  /** What admins set, followed by every process. */
  liveDocuments: LiveDocumentStore;
  /** Resolves when the database answers. @throws unavailable. */
  ping(): Promise<void>;
  /** Says that from now on people wait while this process reads. */
  serving(): void;
  /** Finishes what is under way and lets go of the database. */
  close(): Promise<void>;
}
