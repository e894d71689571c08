import { unavailable } from '../../kernel/errors.ts';
import type { Connection } from './connect.ts';
import initial from './migrations/001-initial.ts';
import outbox from './migrations/002-outbox.ts';
import counters from './migrations/003-counters.ts';
import upstreamIdentities from './migrations/004-upstream-identities.ts';
import auditEvents from './migrations/006-audit-events.ts';
import accountFactors from './migrations/007-account-factors.ts';
import passkeys from './migrations/008-passkeys.ts';
import keyRings from './migrations/009-key-rings.ts';
import logOut from './migrations/010-log-out.ts';
import searchWords from './migrations/012-search-words.ts';
import auditChain from './migrations/013-audit-chain.ts';
import registrations from './migrations/018-registrations.ts';
import roles from './migrations/020-roles.ts';
import liveDocuments from './migrations/023-live-documents.ts';
import invitations from './migrations/029-invitations.ts';
import auditReferences from './migrations/030-audit-references.ts';
import auditTimesAndSessions from './migrations/031-audit-times-and-sessions.ts';
import clientDocuments from './migrations/035-client-documents.ts';

/** Forward only: the number of a migration is its place here plus one. */
const MIGRATIONS = [
  initial,
  outbox,
  counters,
  upstreamIdentities,
  auditEvents,
  accountFactors,
  passkeys,
  keyRings,
  logOut,
  searchWords,
  auditChain,
  registrations,
  roles,
  liveDocuments,
  invitations,
  auditReferences,
  auditTimesAndSessions,
  clientDocuments,
];

/**
 * Brings the file to the newest schema. The write lock of one transaction makes processes that start at once take turns.
 * @throws unavailable when a newer program has already changed the file beyond what this one knows.
 */
export function migrate(connection: Connection): void {
  connection.transaction(() => {
    const version = Number(connection.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > MIGRATIONS.length) {
      throw unavailable(
        `The store was written by a newer version (schema ${version}; this program knows ${MIGRATIONS.length}).`,
      );
    }
    for (const sql of MIGRATIONS.slice(version)) connection.exec(sql);
    connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}
