import type { AuditEvent } from '../../audit/event.ts';
import type { AuditStore } from '../../audit/store.ts';
import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Connection, Row } from './connect.ts';

const parse = (row: Row) => JSON.parse(row['document'] as string) as AuditEvent;

/** @param everyday notes what happens. @param durable erases: what was erased must stay so. */
export function auditStore({ everyday, durable }: { everyday: Connection; durable: Connection }): AuditStore {
  const append = everyday.prepare(
    'INSERT INTO audit_events (id, account_id, created_at, document) VALUES (?, ?, ?, ?)',
  );
  const newest = everyday.prepare(
    'SELECT document FROM audit_events WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?',
  );
  const older = everyday.prepare(
    `SELECT document FROM audit_events WHERE account_id = ? AND (created_at, id) < (?, ?)
     ORDER BY created_at DESC, id DESC LIMIT ?`,
  );
  const pseudonymize = durable.prepare(
    `UPDATE audit_events SET account_id = ?1, document = json_set(document, '$.account_id', ?1, '$.network', NULL,
       '$.device', NULL, '$.detail', json('{}')) WHERE account_id = ?2`,
  );
  const purge = everyday.prepare(
    'DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE created_at < ? ORDER BY created_at LIMIT ?)',
  );

  return {
    append: async (event) => void append.run(event.id, event.account_id, event.created_at, JSON.stringify(event)),
    async listByAccount(accountId, page) {
      const { position, limit } = readPageRequest(page);
      const rows = position ? older.all(accountId, ...position, limit + 1) : newest.all(accountId, limit + 1);
      return toPage(rows.map(parse), limit);
    },
    pseudonymize: async (accountId, pseudonym) => void pseudonymize.run(pseudonym, accountId),
    purge: async (before, limit) => purge.run(before, limit),
  };
}
