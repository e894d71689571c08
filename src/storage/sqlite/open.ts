import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { wordsOfAccount } from '../../accounts/account.ts';
import type { Account } from '../../accounts/account.ts';
import { wordsOfClient } from '../../clients/client.ts';
import type { Client } from '../../clients/client.ts';
import type { Consent } from '../../consents/consent.ts';
import type { ConsentStore } from '../../consents/store.ts';
import { unavailable } from '../../kernel/errors.ts';
import type { Storage } from '../storage.ts';
import { auditStore } from './audit.ts';
import { createCheckpoints } from './checkpoints.ts';
import { createCommits } from './commits.ts';
import { connect, opening } from './connect.ts';
import type { Connection, Row } from './connect.ts';
import { counterStore } from './counters.ts';
import { documentTable } from './documents.ts';
import { factorStore } from './factors.ts';
import { groupCommit } from './group-commit.ts';
import type { GroupCommit } from './group-commit.ts';
import { identityStore } from './identities.ts';
import { invitationStore } from './invitations.ts';
import { keyRingStore, keySetFetchStore } from './keys.ts';
import { liveDocumentStore } from './live-documents.ts';
import { logoutStore } from './log-out.ts';
import { migrate } from './migrate.ts';
import { outboxStore } from './outbox.ts';
import { passkeyStore } from './passkeys.ts';
import { protocolStore } from './protocol.ts';
import { createRecent } from './recent.ts';
import { clientDocumentStore } from './client-documents.ts';
import { createReader, readerOn } from './reader.ts';
import { registrationStore } from './registrations.ts';
import { roleStore } from './roles.ts';

/** About two kilobytes each. */
const RECENT_ACCOUNTS = 500;

function consentStore(
  { everyday, durable: connection }: { everyday: Connection; durable: Connection },
  group: GroupCommit,
): ConsentStore {
  const find = everyday.prepare('SELECT document FROM consents WHERE account_id = ? AND client_id = ?');
  const putSql =
    'INSERT INTO consents (account_id, client_id, document) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET document = excluded.document';
  const put = connection.prepare(putSql);
  const putEveryday = everyday.prepare(putSql);
  const byAccount = connection.prepare('SELECT document FROM consents WHERE account_id = ?');
  const noteUse = everyday.prepare(
    `UPDATE consents SET document = json_set(document, '$.last_used_at', ?)
     WHERE account_id = ? AND client_id = ? AND coalesce(json_extract(document, '$.last_used_at'), '') < ?`,
  );
  const remove = connection.prepare('DELETE FROM consents WHERE account_id = ? AND client_id = ?');
  const removeByAccount = connection.prepare('DELETE FROM consents WHERE account_id = ?');
  const byClient = everyday.prepare('SELECT document FROM consents WHERE client_id = ? ORDER BY account_id LIMIT ?');
  const removeByClient = connection.prepare('DELETE FROM consents WHERE client_id = ?');
  const parse = (row: Row) => JSON.parse(row['document'] as string) as Consent;
  return {
    async find(accountId, clientId) {
      const row = find.get(accountId, clientId);
      return row && parse(row);
    },
    async put(consent, { durable } = { durable: true }) {
      const values = [consent.account_id, consent.client_id, JSON.stringify(consent)];
      if (!durable) return void (await group.write(() => putEveryday.run(...values)));
      group.flush();
      put.run(...values);
    },
    listByAccount: async (accountId) => byAccount.all(accountId).map(parse),
    listByClient: async (clientId, limit) => byClient.all(clientId, limit).map(parse),
    noteUse: async (accountId, clientId, at) =>
      void (await group.write(() => noteUse.run(at, accountId, clientId, at))),
    async delete(accountId, clientId) {
      group.flush();
      return remove.run(accountId, clientId) > 0;
    },
    async deleteByAccount(accountId) {
      group.flush();
      removeByAccount.run(accountId);
    },
    async deleteByClient(clientId) {
      group.flush();
      removeByClient.run(clientId);
    },
  };
}

/** SQLite gives its side files the mode of the database. */
function createPrivately(file: string): void {
  try {
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  } catch (error) {
    throw unavailable(`The store cannot be opened: ${(error as Error).message}`, error);
  }
}

function connectMigrated(file: string): Connection {
  const connection = connect(file, 'FULL');
  try {
    migrate(connection);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** @param file path of the database, made with mode 0600; `:memory:` keeps everything in this process. */
export function openSqlite(file: string): Storage {
  const inMemory = file === ':memory:';
  if (!inMemory) createPrivately(file);
  const durable = opening(() => connectMigrated(file));
  const everyday = inMemory ? durable : opening(() => connect(file, 'NORMAL'));
  const reader = inMemory ? readerOn(everyday) : createReader(file, everyday);
  const commits = createCommits(everyday);
  const group: GroupCommit = groupCommit(everyday, (count) => checkpoints?.wrote(count));
  const checkpoints = inMemory ? undefined : createCheckpoints(file, group.pause);
  const clients = documentTable<Client>(
    { everyday, durable, reader, group },
    {
      table: 'clients',
      uniqueColumn: 'resource',
      uniqueValue: (client) => client.resource,
      taken: { message: 'the client id or resource identifier is taken', field: 'resource' },
      wordsOf: wordsOfClient,
    },
  );
  const accounts = documentTable<Account>(
    { everyday, durable, reader, group },
    {
      table: 'accounts',
      uniqueColumn: 'email_normalized',
      uniqueValue: (account) => account.email_normalized,
      taken: { message: 'the e-mail address is taken', field: 'email' },
      wordsOf: wordsOfAccount,
      recent: createRecent<Account>(commits, RECENT_ACCOUNTS),
    },
  );
  const toErase = everyday.prepare(
    "SELECT id FROM accounts WHERE json_extract(document, '$.erase_at') <= ? ORDER BY json_extract(document, '$.erase_at') LIMIT ?",
  );
  const alive = everyday.prepare('SELECT count(*) FROM key_rings');

  return {
    description: inMemory ? 'SQLite in memory' : `SQLite in ${file}`,
    accounts: {
      ...accounts,
      findByEmail: accounts.findByUnique,
      listToErase: async (now, limit) => toErase.all(now, limit).map(({ id }) => id as string),
    },
    clients: { ...clients, findByResource: clients.findByUnique },
    consents: consentStore({ everyday, durable }, group),
    audit: auditStore({ everyday, durable, reader }, group),
    factors: factorStore({ everyday, durable }),
    identities: identityStore(durable),
    invitations: invitationStore({ everyday, durable }),
    passkeys: passkeyStore(everyday, durable),
    keyRings: keyRingStore({ everyday, durable }),
    keySetFetches: keySetFetchStore(everyday),
    protocol: protocolStore(everyday, durable, group, commits),
    outbox: outboxStore(everyday, durable),
    logout: logoutStore(everyday, durable, group),
    counters: counterStore(everyday, group),
    registrations: registrationStore({ everyday, durable }),
    clientDocuments: clientDocumentStore({ everyday, durable }),
    roles: roleStore({ everyday, durable }),
    liveDocuments: liveDocumentStore({ everyday, durable }),
    // A store that cannot be written to serves nobody.
    ping: async () => everyday.transaction(() => void alive.get()),
    serving: () => reader.leaveToThread(),
    async close() {
      group.flush();
      await Promise.all([checkpoints?.close(), reader.close()]);
      if (everyday !== durable) everyday.close();
      durable.close();
    },
  };
}
