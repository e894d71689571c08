import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { OutboxStore, QueuedMail } from '../../mail/store.ts';
import type { Connection, Row } from './connect.ts';

const COLUMNS = 'id, template, state, sealed, created_at, due_at, give_up_at, attempts, problem, settled_at';
const LEASE = 'outbox';

const toMail = (row: Row): QueuedMail => ({ ...row }) as unknown as QueuedMail;

/**
 * @param everyday notes what became of a mail: what is lost at a power cut is sent again, under the same Message-ID.
 * @param durable queues: a mail that was promised is sent.
 */
export function outboxStore(everyday: Connection, durable: Connection): OutboxStore {
  const insert = durable.prepare(
    `INSERT INTO outbox (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const byId = everyday.prepare(`SELECT ${COLUMNS} FROM outbox WHERE id = ?`);
  const first = everyday.prepare(`SELECT ${COLUMNS} FROM outbox WHERE state = ? ORDER BY created_at, id LIMIT ?`);
  const following = everyday.prepare(
    `SELECT ${COLUMNS} FROM outbox WHERE state = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
  );
  const due = everyday.prepare("SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= ? LIMIT 1");
  const lease = everyday.prepare(
    `INSERT INTO leases (name, holder, until) VALUES ('${LEASE}', ?, ?)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE leases.holder = excluded.holder OR leases.until <= ?`,
  );
  const release = everyday.prepare(`DELETE FROM leases WHERE name = '${LEASE}' AND holder = ?`);
  const claim = everyday.prepare(
    `UPDATE outbox SET attempts = attempts + 1, due_at = ?, problem = NULL WHERE id = (
       SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, created_at, id LIMIT 1
     ) RETURNING ${COLUMNS}`,
  );
  const ours = "WHERE id = ? AND attempts = ? AND state = 'waiting'";
  const sent = everyday.prepare(
    `UPDATE outbox SET state = 'sent', settled_at = ?, sealed = NULL, problem = NULL ${ours}`,
  );
  const failed = everyday.prepare(`UPDATE outbox SET due_at = ?, problem = ? ${ours}`);
  const givenUp = everyday.prepare(`UPDATE outbox SET state = 'given_up', settled_at = ?, problem = ? ${ours}`);
  const retry = durable.prepare(
    `UPDATE outbox SET state = 'waiting', due_at = ?, give_up_at = ?, settled_at = NULL
     WHERE id = ? AND problem IS NOT NULL AND state IN ('waiting', 'given_up')`,
  );
  const reseal = {
    sealed: durable.prepare('UPDATE outbox SET sealed = ? WHERE id = ? AND sealed = ?'),
    problem: durable.prepare('UPDATE outbox SET problem = ? WHERE id = ? AND problem = ?'),
  };
  const purge = everyday.prepare(
    'DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = ? AND settled_at <= ? LIMIT ?)',
  );

  return {
    async insert(mail) {
      const { id, template, state, sealed, created_at, due_at, give_up_at, attempts, problem, settled_at } = mail;
      const values = [id, template, state, sealed, created_at, due_at, give_up_at, attempts, problem, settled_at];
      return insert.run(...values) === 1;
    },
    async find(id) {
      const row = byId.get(id);
      return row && toMail(row);
    },
    async list(state, page) {
      const { position, limit } = readPageRequest(page);
      const rows = position ? following.all(state, ...position, limit + 1) : first.all(state, limit + 1);
      return toPage(rows.map(toMail), limit);
    },
    isDue: async (now) => due.get(now) !== undefined,
    lease: async (holder, now, until) => lease.run(holder, until, now) === 1,
    release: async (holder) => void release.run(holder),
    async claim(now, until) {
      const row = claim.get(until, now);
      return row && toMail(row);
    },
    async settle(id, attempt, outcome) {
      if (outcome.state === 'sent') return sent.run(outcome.settled_at, id, attempt) === 1;
      if (outcome.state === 'waiting') return failed.run(outcome.due_at, outcome.problem, id, attempt) === 1;
      return givenUp.run(outcome.settled_at, outcome.problem, id, attempt) === 1;
    },
    retry: async (id, now, giveUpAt) => retry.run(now, giveUpAt, id) === 1,
    reseal: async (id, column, seen, sealed) => reseal[column].run(sealed, id, seen) === 1,
    purge: async (state, before, limit) => purge.run(state, before, limit),
  };
}
