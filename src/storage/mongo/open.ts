/**
 * The MongoDB driver: for more than one process, on a replica set or a hosted cluster. It needs no transactions and no change
 * streams, so it also runs on a single server and on what speaks MongoDB's protocol.
 */
import type { Storage } from '../storage.ts';
import { accountStore } from './accounts.ts';
import { auditStore } from './audit.ts';
import { clientDocumentStore } from './client-documents.ts';
import { clientStore } from './clients.ts';
import { connect } from './connect.ts';
import { consentStore } from './consents.ts';
import { counterStore } from './counters.ts';
import { createGuard } from './errors.ts';
import { factorStore } from './factors.ts';
import { identityStore } from './identities.ts';
import { invitationStore } from './invitations.ts';
import { keyRingStore, keySetFetchStore } from './keys.ts';
import { liveDocumentStore } from './live-documents.ts';
import { logoutStore } from './log-out.ts';
import { outboxStore } from './outbox.ts';
import { passkeyStore } from './passkeys.ts';
import { protocolStore } from './protocol.ts';
import { registrationStore } from './registrations.ts';
import { roleStore } from './roles.ts';

/**
 * Connects and makes the indexes that are missing. Afterwards the driver reconnects by itself: while no server answers every
 * call is `unavailable`, and nothing needs a restart.
 * @param url `mongodb://…` or `mongodb+srv://…`; without a database name it is `gatehouse`.
 * @throws unavailable when no server answers or it refuses the credentials.
 */
export async function openMongo(url: string): Promise<Storage> {
  const { connection, description } = await connect(url);
  const calls = createGuard();
  const stores = {
    accounts: calls.guard(accountStore(connection)),
    clients: calls.guard(clientStore(connection)),
    consents: calls.guard(consentStore(connection)),
    audit: calls.guard(auditStore(connection)),
    factors: calls.guard(factorStore(connection)),
    identities: calls.guard(identityStore(connection)),
    invitations: calls.guard(invitationStore(connection)),
    passkeys: calls.guard(passkeyStore(connection)),
    keyRings: calls.guard(keyRingStore(connection)),
    keySetFetches: calls.guard(keySetFetchStore(connection)),
    protocol: calls.guard(protocolStore(connection)),
    outbox: calls.guard(outboxStore(connection)),
    logout: calls.guard(logoutStore(connection)),
    counters: calls.guard(counterStore(connection)),
    registrations: calls.guard(registrationStore(connection)),
    clientDocuments: calls.guard(clientDocumentStore(connection)),
    roles: calls.guard(roleStore(connection)),
    liveDocuments: calls.guard(liveDocumentStore(connection)),
  };
  const server = calls.guard({
    async createIndexes() {
      for (const model of Object.values(connection.models)) await model.createIndexes();
    },
    ping: async () => void (await connection.db?.command({ ping: 1 })),
  });
  const close = async () => {
    await calls.idle();
    await connection.close();
  };

  try {
    await server.createIndexes();
    await stores.accounts.buildWords();
    await stores.clients.buildWords();
  } catch (error) {
    await close();
    throw error;
  }
  return { description, ...stores, ping: () => server.ping(), serving: () => undefined, close };
}
