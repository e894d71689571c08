import { readPageRequest, toPage } from '../../kernel/paging.ts';
import type { Delivery, LogoutStore, SessionApp, SessionAppStore } from '../../logout/store.ts';
import type { Connection, Row } from './connect.ts';
import type { GroupCommit } from './group-commit.ts';

const APP = 'session_key, app_key, account_key, offline, ended, sealed, expires_at';
const COLUMNS =
  'id, logout_id, client_id, cause, state, sealed, created_at, due_at, give_up_at, attempts, refusals, problem, settled_at';

const toApp = ({ offline, ended, ...rest }: Row): SessionApp =>
  ({ ...rest, offline: offline === 1, ended: ended === 1 }) as unknown as SessionApp;
const toDelivery = (row: Row): Delivery => ({ ...row }) as unknown as Delivery;

/** Noted with what else a sign-in writes; what a power cut takes along goes with the code it was noted for. */
function appTable(everyday: Connection, group: GroupCommit): SessionAppStore {
  const note = everyday.prepare(
    `INSERT INTO session_apps (${APP}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_key, app_key) DO UPDATE SET
       offline = max(offline, excluded.offline), ended = excluded.ended, expires_at = max(expires_at, excluded.expires_at)`,
  );
  const ofSession = everyday.prepare(`SELECT ${APP} FROM session_apps WHERE session_key = ? AND expires_at > ?`);
  const ofAccount = everyday.prepare(`SELECT ${APP} FROM session_apps WHERE account_key = ? AND expires_at > ?`);
  const prolong = everyday.prepare('UPDATE session_apps SET expires_at = max(expires_at, ?) WHERE session_key = ?');
  const keep = everyday.prepare(
    'UPDATE session_apps SET ended = 1 WHERE session_key = ? AND app_key = ? AND offline = 1',
  );
  const drop = everyday.prepare('DELETE FROM session_apps WHERE session_key = ? AND app_key = ? AND offline = 0');
  const remove = everyday.prepare('DELETE FROM session_apps WHERE session_key = ? AND app_key = ?');
  const inOrder = everyday.prepare(
    `SELECT ${APP} FROM session_apps WHERE (session_key, app_key) > (?, ?) ORDER BY session_key, app_key LIMIT ?`,
  );
  const reseal = everyday.prepare(
    'UPDATE session_apps SET sealed = ? WHERE session_key = ? AND app_key = ? AND sealed = ?',
  );
  const sweep = everyday.prepare(
    `DELETE FROM session_apps WHERE (session_key, app_key) IN
       (SELECT session_key, app_key FROM session_apps WHERE expires_at <= ? LIMIT ?)`,
  );
  return {
    noteApp: ({ session_key, app_key, account_key, offline, ended, sealed, expires_at }) =>
      group.write(
        () => void note.run(session_key, app_key, account_key, Number(offline), Number(ended), sealed, expires_at),
      ),
    appsOfSession: async (sessionKey, now) => ofSession.all(sessionKey, now).map(toApp),
    appsOfAccount: async (accountKey, now) => ofAccount.all(accountKey, now).map(toApp),
    prolongSession: (sessionKey, until) => group.write(() => void prolong.run(until, sessionKey)),
    async endApps(apps) {
      for (const { session_key, app_key } of apps)
        await group.write(() => {
          keep.run(session_key, app_key);
          drop.run(session_key, app_key);
        });
    },
    async removeApps(apps) {
      for (const { session_key, app_key } of apps) await group.write(() => void remove.run(session_key, app_key));
    },
    listApps: async (after, limit) => inOrder.all(after?.session_key ?? '', after?.app_key ?? '', limit).map(toApp),
    resealApp: (app, sealed) => group.write(() => reseal.run(sealed, app.session_key, app.app_key, app.sealed) === 1),
    sweepApps: async (now, limit) => sweep.run(now, limit),
  };
}

/**
 * @param everyday notes what became of a delivery: what is lost at a power cut is sent again, as the same log-out token.
 * @param durable queues: an app that was to be told is told.
 */
export function logoutStore(everyday: Connection, durable: Connection, group: GroupCommit): LogoutStore {
  const insert = durable.prepare(
    `INSERT INTO logout_deliveries (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const byId = everyday.prepare(`SELECT ${COLUMNS} FROM logout_deliveries WHERE id = ?`);
  const ofLogout = everyday.prepare(
    `SELECT ${COLUMNS} FROM logout_deliveries WHERE logout_id = ? AND client_id IS NOT NULL`,
  );
  const first = everyday.prepare(
    `SELECT ${COLUMNS} FROM logout_deliveries WHERE state = ? ORDER BY created_at, id LIMIT ?`,
  );
  const following = everyday.prepare(
    `SELECT ${COLUMNS} FROM logout_deliveries WHERE state = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
  );
  const due = everyday.prepare("SELECT id FROM logout_deliveries WHERE state = 'waiting' AND due_at <= ? LIMIT 1");
  const claim = everyday.prepare(
    `UPDATE logout_deliveries SET attempts = attempts + 1, due_at = ?, problem = NULL WHERE id = (
       SELECT id FROM logout_deliveries WHERE state = 'waiting' AND due_at <= ?
         AND (client_id IS NULL OR client_id NOT IN (SELECT value FROM json_each(?))) ORDER BY due_at, created_at, id LIMIT 1
     ) RETURNING ${COLUMNS}`,
  );
  const ours = "WHERE id = ? AND attempts = ? AND state = 'waiting'";
  const confirmed = everyday.prepare(
    `UPDATE logout_deliveries SET state = 'confirmed', settled_at = ?, sealed = NULL, problem = NULL ${ours}`,
  );
  const failed = everyday.prepare(
    `UPDATE logout_deliveries SET due_at = ?, problem = ?, refusals = refusals + ? ${ours}`,
  );
  const givenUp = everyday.prepare(
    `UPDATE logout_deliveries SET state = 'given_up', settled_at = ?, problem = ?, refusals = refusals + ? ${ours}`,
  );
  const retry = durable.prepare(
    `UPDATE logout_deliveries SET state = 'waiting', due_at = ?, give_up_at = ?, settled_at = NULL
     WHERE id = ? AND problem IS NOT NULL AND state IN ('waiting', 'given_up')`,
  );
  const reseal = durable.prepare('UPDATE logout_deliveries SET sealed = ? WHERE id = ? AND sealed = ?');
  const remove = everyday.prepare('DELETE FROM logout_deliveries WHERE id = ?');
  const purge = everyday.prepare(
    'DELETE FROM logout_deliveries WHERE id IN (SELECT id FROM logout_deliveries WHERE state = ? AND settled_at <= ? LIMIT ?)',
  );

  return {
    ...appTable(everyday, group),
    async insert(deliveries) {
      // What waits to be written goes first: among it may be the apps that these are for.
      group.flush();
      durable.transaction(() => {
        for (const one of deliveries) {
          const { id, logout_id, client_id, cause, state, sealed, created_at } = one;
          const { due_at, give_up_at, attempts, refusals, problem, settled_at } = one;
          const head = [id, logout_id, client_id, cause, state, sealed, created_at] as const;
          insert.run(...head, due_at, give_up_at, attempts, refusals, problem, settled_at);
        }
      });
    },
    async find(id) {
      const row = byId.get(id);
      return row && toDelivery(row);
    },
    listOf: async (logoutId) => ofLogout.all(logoutId).map(toDelivery),
    async list(state, page) {
      const { position, limit } = readPageRequest(page);
      const rows = position ? following.all(state, ...position, limit + 1) : first.all(state, limit + 1);
      return toPage(rows.map(toDelivery), limit);
    },
    isDue: async (now) => due.get(now) !== undefined,
    async claim(now, until, except) {
      const row = claim.get(until, now, JSON.stringify(except));
      return row && toDelivery(row);
    },
    async settle(id, attempt, outcome) {
      if (outcome.state === 'confirmed') return confirmed.run(outcome.settled_at, id, attempt) === 1;
      const { problem } = outcome;
      const refused = Number(outcome.refused);
      if (outcome.state === 'waiting') return failed.run(outcome.due_at, problem, refused, id, attempt) === 1;
      return givenUp.run(outcome.settled_at, problem, refused, id, attempt) === 1;
    },
    retry: async (id, now, giveUpAt) => retry.run(now, giveUpAt, id) === 1,
    reseal: async (id, seen, sealed) => reseal.run(sealed, id, seen) === 1,
    remove: async (id) => void remove.run(id),
    purge: async (state, before, limit) => purge.run(state, before, limit),
  };
}
