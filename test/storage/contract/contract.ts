/** What every storage driver must do, as the comments on the stores' interfaces promise it. A driver's test file runs this. */
import { afterEach, beforeEach, describe, vi } from 'vitest';
import type { Storage } from '../../../src/storage/storage.ts';
import { accountContract } from './accounts.ts';
import { clientContract } from './clients.ts';
import { auditContract } from './audit.ts';
import { clientDocumentContract } from './client-documents.ts';
import { consentContract } from './consents.ts';
import { counterContract } from './counters.ts';
import { expiryContract } from './expiry.ts';
import { factorContract } from './factors.ts';
import { identityContract } from './identities.ts';
import { invitationContract } from './invitations.ts';
import { keyContract } from './keys.ts';
import { liveDocumentContract } from './live-documents.ts';
import { lifecycleContract } from './lifecycle.ts';
import { logOutContract } from './log-out.ts';
import { outboxContract } from './outbox.ts';
import { passkeyContract } from './passkeys.ts';
import { protocolContract } from './protocol.ts';
import { readerContract } from './readers.ts';
import { registrationContract } from './registrations.ts';
import { revocationContract } from './revocation.ts';
import { roleContract } from './roles.ts';
import { searchContract } from './search.ts';
import { singleUseContract } from './single-use.ts';

export interface Opened {
  /** A new, empty store. */
  storage: Storage;
  /** Opens the same data once more, beside the first. */
  reopen: () => Promise<Storage>;
  /** Closes what this gave and removes the data. */
  dispose: () => Promise<void>;
}

/** What the contract must know of a driver beforehand. */
export interface Driver {
  /** Several processes can open the same data. */
  shared: boolean;
}

/** The store of the running test. */
export type Use = () => Opened;

const CONTRACTS = {
  accounts: accountContract,
  clients: clientContract,
  registrations: registrationContract,
  'documents of clients': clientDocumentContract,
  roles: roleContract,
  consents: consentContract,
  'audit events': auditContract,
  'second factors': factorContract,
  'upstream identities': identityContract,
  invitations: invitationContract,
  passkeys: passkeyContract,
  keys: keyContract,
  'live documents': liveDocumentContract,
  'protocol records': protocolContract,
  'readers of records': readerContract,
  'single use': singleUseContract,
  search: searchContract,
  expiry: expiryContract,
  revocation: revocationContract,
  outbox: outboxContract,
  'log-out': logOutContract,
  counters: counterContract,
  'opening and closing': lifecycleContract,
};

export function storageContract(name: string, driver: Driver, open: () => Promise<Opened>): void {
  describe(`storage contract: ${name}`, () => {
    let opened: Opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      vi.useRealTimers();
      await opened.dispose();
    });
    for (const [part, contract] of Object.entries(CONTRACTS)) describe(part, () => contract(() => opened, driver));
  });
}
