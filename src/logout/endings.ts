/**
 * Ending things, and telling the apps: the one place where sessions and what acts in a person's name are ended.
 *
 * What is to be ended, and who is to be told, is kept durably first; then it is ended; then whoever came in between is told too;
 * last the record is removed. Whoever is stopped in between leaves the record, and any process completes it half a minute later:
 * each step may be done twice.
 */
import { isGatehouseError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Cause, LogOut, Scope } from './log-out.ts';
import type { Notice, Queue } from './queue.ts';
import type { Known, SessionApps } from './session-apps.ts';

const SERVER_ERROR = 500;

/** An app that took part in what was ended. */
export interface EndedApp {
  client_id: string;
  sid: string | undefined;
}

export interface Ended {
  /** Of the log-out. */
  id: string;
  apps: EndedApp[];
}

export interface Endings {
  /** Ends one session, with the grants that end with it. */
  session(session: { sessionUid: string; cause: Cause }): Promise<Ended>;
  /** Ends all sessions of a person but the one with the uid `keep`. */
  others(others: { accountId: string; keep: string; cause: Cause }): Promise<Ended>;
  /**
   * Ends all sessions and grants of a person, after `change` was made to their account; of the session `keep` the grants only. Once
   * this has begun it is completed, whatever happens; where `change` refuses nothing is ended.
   * @returns what `change` gave.
   */
  account<T>(account: { accountId: string; keep?: string; cause: Cause }, change: () => Promise<T>): Promise<T>;
  /** Ends all grants a person gave one app. */
  app(app: { accountId: string; clientId: string; cause: Cause }): Promise<Ended>;
  /**
   * Ends one grant with all its tokens, as when one of them was stolen. The app is told: to end its session `sid` where the tokens
   * knew it, else all its sessions of that person.
   */
  grant(grant: {
    accountId: string;
    clientId: string;
    grantId: string;
    sid?: string | undefined;
    cause: Cause;
  }): Promise<Ended>;
  /** Completes a log-out that was broken off. */
  complete(logOut: LogOut): Promise<void>;
}

/** The records of the protocol, as far as they are ended here. */
interface Records {
  listByAccount(kind: string, accountId: string): Promise<{ uid?: string | undefined }[]>;
  revokeBySession(sessionUid: string): Promise<void>;
  revokeByAccount(accountId: string, options?: { keepSession: string }): Promise<void>;
  revokeByClient(accountId: string, clientId: string): Promise<void>;
  revokeGrant(grantId: string, options: { withGrant: boolean }): Promise<void>;
}

interface Needs {
  apps: SessionApps;
  queue: Pick<Queue, 'add' | 'done'>;
  records: Records;
  clients: { find(id: string): Promise<{ backchannel_logout_uri?: string | null } | undefined> };
  /** Something was queued. */
  onQueued: () => void;
}

export function createEndings({ apps, queue, records, clients, onQueued }: Needs): Endings {
  async function appsIn(scope: Scope): Promise<Known[]> {
    if (scope.of === 'session') return (await apps.ofSession(scope.session_uid)).filter(({ ended }) => !ended);
    const all = await apps.ofAccount(scope.account_id);
    switch (scope.of) {
      case 'others':
        return all.filter(({ session_uid, ended }) => session_uid !== scope.keep && !ended);
      case 'account':
        return all.filter(({ session_uid }) => session_uid !== scope.keep);
      case 'app':
        return all.filter(({ client_id }) => client_id === scope.client_id);
      case 'grant':
        return all.filter(
          ({ client_id, sid }) => client_id === scope.client_id && (scope.sid === undefined || sid === scope.sid),
        );
    }
  }

  async function revoke(scope: Scope): Promise<void> {
    switch (scope.of) {
      case 'session':
        return records.revokeBySession(scope.session_uid);
      case 'others': {
        const sessions = await records.listByAccount('Session', scope.account_id);
        for (const { uid } of sessions) if (uid !== undefined && uid !== scope.keep) await records.revokeBySession(uid);
        return;
      }
      case 'account':
        return records.revokeByAccount(
          scope.account_id,
          scope.keep === undefined ? undefined : { keepSession: scope.keep },
        );
      case 'app':
        return records.revokeByClient(scope.account_id, scope.client_id);
      case 'grant':
        return records.revokeGrant(scope.grant_id, { withGrant: true });
    }
  }

  /** Sessions that go on keep their apps. */
  function forget(scope: Scope, known: Known[]): Promise<void> {
    if (scope.of === 'grant') return Promise.resolve();
    return scope.of === 'session' || scope.of === 'others' ? apps.end(known) : apps.remove(known);
  }

  /** Whom to tell: those that can be told. Of a stolen token its app, also where nobody remembers its session. */
  async function noticesOf(scope: Scope, known: Known[]): Promise<Notice[]> {
    const lost: Notice[] = scope.of === 'grant' && known.length === 0 ? [{ ...scope }] : [];
    const all: Notice[] = [...known, ...lost].map(({ client_id, account_id, sid }) => ({ client_id, account_id, sid }));
    const ids = [...new Set(all.map(({ client_id }) => client_id))];
    const found = await Promise.all(ids.map((id) => clients.find(id)));
    const reachable = new Set(ids.filter((_id, index) => (found[index]?.backchannel_logout_uri ?? null) !== null));
    return all.filter(({ client_id }) => reachable.has(client_id));
  }

  /** @param kept whether the log-out itself is in the store already. */
  async function carryOut(logOut: LogOut, kept: boolean): Promise<Ended> {
    const { scope } = logOut;
    const known = await appsIn(scope);
    const notices = await noticesOf(scope, known);
    const itself = !kept && notices.length > 0;
    await queue.add(logOut, notices, { itself });
    await revoke(scope);
    const late = (await appsIn(scope)).filter((one) => known.every(({ app_key }) => app_key !== one.app_key));
    const lateNotices = await noticesOf(scope, late);
    if (late.length > 0) await queue.add(logOut, lateNotices);
    await forget(scope, [...known, ...late]);
    if (kept || itself) await queue.done(logOut.id);
    if (notices.length + lateNotices.length > 0) onQueued();
    return { id: logOut.id, apps: [...known, ...late].map(({ client_id, sid }) => ({ client_id, sid })) };
  }

  const end = (cause: Cause, scope: Scope) => carryOut({ id: newId(), cause, scope }, false);

  return {
    session: ({ sessionUid, cause }) => end(cause, { of: 'session', session_uid: sessionUid }),
    others: ({ accountId, keep, cause }) => end(cause, { of: 'others', account_id: accountId, keep }),
    app: ({ accountId, clientId, cause }) => end(cause, { of: 'app', account_id: accountId, client_id: clientId }),
    grant: ({ accountId, clientId, grantId, sid, cause }) =>
      end(cause, { of: 'grant', account_id: accountId, client_id: clientId, grant_id: grantId, sid }),

    async account({ accountId, keep, cause }, change) {
      const logOut: LogOut = { id: newId(), cause, scope: { of: 'account', account_id: accountId, keep } };
      await queue.add(logOut, [], { itself: true });
      let changed;
      try {
        changed = await change();
      } catch (error) {
        // Where nobody knows what became of the change, ending is the safe side.
        if (isGatehouseError(error) && error.status < SERVER_ERROR) await queue.done(logOut.id);
        throw error;
      }
      await carryOut(logOut, true);
      return changed;
    },

    complete: async (logOut) => void (await carryOut(logOut, true)),
  };
}
