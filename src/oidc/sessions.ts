/** The sessions of a person, as they see them: by which device, from where, since when; and how each is ended. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Proof } from '../factors/levels.ts';
import type { Caller } from '../kernel/caller.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { invalidInput } from '../kernel/errors.ts';
import { encodePosition, readPageRequest } from '../kernel/paging.ts';
import type { Page, PageRequest } from '../kernel/paging.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { Ended, Endings } from '../logout/endings.ts';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';

/** What a session remembers of its use. */
export interface Seen extends Caller {
  account_id: string;
  /** Epoch seconds of the sign-in that began it, and of its last use. */
  since: number;
  at: number;
  /** Of the proof it knows of: another one is another sign-in. */
  login_at: number | undefined;
}

export interface SessionOverview extends Pick<Seen, 'address' | 'user_agent' | 'since'> {
  /** Names it on pages; nothing can be done with it elsewhere. */
  id: string;
  last_seen: number;
  uid: string;
  /** Ids of the clients it signed in to. */
  clients: string[];
}

/** One of all, with whose it is. */
export interface SessionOfSomebody extends SessionOverview {
  account_id: string;
}

export interface Sessions {
  /** The session of this browser, where somebody is signed in. */
  ofBrowser(ctx: {
    req: IncomingMessage;
    res: ServerResponse;
  }): Promise<{ uid: string; account_id: string } | undefined>;
  /** What was proved in the session; undefined where it has ended, or is not this person's any more. */
  proofsOf(uid: string, accountId: string): Promise<Proof[] | undefined>;
  /** The one used last comes first. */
  list(accountId: string): Promise<SessionOverview[]>;
  /** Of everybody, those used last first. @throws invalid_input when the cursor or limit is not ours. */
  all(page: PageRequest): Promise<Page<SessionOfSomebody>>;
  /** How many there are, counted up to `most`. */
  count(most: number): Promise<number>;
  /** Ends one with the grants that end with it. @returns whether the person has such a session. */
  end(accountId: string, id: string): Promise<boolean>;
  /** Ends one by its uid: the session under way. */
  endThis(uid: string): Promise<Ended>;
  /** Ends all but one. @returns how many. */
  endOthers(accountId: string, uid: string): Promise<number>;
}

/** What a session remembers once it was used by `caller`. */
export function seenNow(
  { seen: before, accountId, loginTs }: { seen?: Seen | undefined; accountId?: string; loginTs?: number },
  caller: Caller | undefined,
): Seen | undefined {
  if (accountId === undefined || !caller) return before;
  const at = epochSeconds();
  const since = before?.account_id === accountId ? before.since : at;
  return { account_id: accountId, since, at, login_at: loginTs, ...caller };
}

function overview({ uid, loginTs, seen, authorizations }: Payload, id: string): SessionOverview {
  const { since, at, address, user_agent } = (seen ?? {}) as Partial<Seen>;
  const signedIn = Number(loginTs ?? 0);
  return {
    id,
    uid: uid!,
    since: since ?? signedIn,
    last_seen: at ?? signedIn,
    address: address ?? 'unknown',
    user_agent: user_agent ?? '',
    clients: Object.keys((authorizations as object | undefined) ?? {}),
  };
}

interface Needs {
  records: SealedRecords;
  endings: Pick<Endings, 'session' | 'others'>;
  vault: Vault;
}

/** The sessions of people, for those who have no browser in hand: admins and the command line. */
export function createSessionList({ records, endings, vault }: Needs): Omit<Sessions, 'ofBrowser'> {
  const idOf = (uid: string) => vault.lookupKey('session on a page', uid);

  async function list(accountId: string): Promise<SessionOverview[]> {
    const found = await records.listByAccount('Session', accountId);
    return found
      .map((session) => overview(session, idOf(session.uid!)))
      .toSorted((a, b) => b.last_seen - a.last_seen || b.since - a.since);
  }

  return {
    list,
    async all(request) {
      const { position, limit } = readPageRequest(request);
      const after = position && { expires_at: Number(position[0]), key: position[1] };
      if (after && !Number.isSafeInteger(after.expires_at))
        throw invalidInput('the cursor is not one that a listing gave', 'after');
      const { items, next } = await records.listSessions(after, limit);
      return {
        items: items.map((session) => ({ ...overview(session, idOf(session.uid!)), account_id: session.accountId! })),
        next: next && encodePosition([String(next.expires_at), next.key]),
      };
    },
    count: (most) => records.countSessions(most),
    async proofsOf(uid, accountId) {
      const session = await records.findByUid(uid);
      return session?.accountId === accountId ? ((session['proofs'] as Proof[] | undefined) ?? []) : undefined;
    },
    async end(accountId, id) {
      const session = (await list(accountId)).find((one) => one.id === id);
      if (session) await endings.session({ sessionUid: session.uid, cause: 'session_ended' });
      return session !== undefined;
    },
    endThis: (uid) => endings.session({ sessionUid: uid, cause: 'log_out' }),
    async endOthers(accountId, uid) {
      const others = (await list(accountId)).filter((session) => session.uid !== uid);
      await endings.others({ accountId, keep: uid, cause: 'session_ended' });
      return others.length;
    },
  };
}

export const createSessions = ({ provider, ...needs }: Needs & { provider: Provider }): Sessions => ({
  ...createSessionList(needs),
  async ofBrowser(ctx) {
    const { uid, accountId } = await provider.Session.get(ctx as never);
    return accountId === undefined ? undefined : { uid, account_id: accountId };
  },
});
