/**
 * The end of a family of refresh tokens of which a used one was sent again: there are two copies, and one may be stolen. First the
 * chain becomes a record of that, by compare-and-set, so that nothing is refreshed any more and of many who notice one
 * goes on; then the grant and all that descends from it is revoked; then those are told whom it concerns. Whoever was stopped in
 * between left that record behind: the next one who sends a token of the chain finishes what was begun.
 */
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';

const KIND = 'RefreshToken';
/** Milliseconds in which whoever began is left to finish. */
const TURN_MS = 30_000;
/** Seconds that an unfinished end is remembered. */
const REMEMBERED = 604_800;
const ATTEMPTS = 20;

/** What was ended: an authorization of one app by one person. */
export interface EndedFamily {
  accountId: string;
  grantId: string;
  clientId: string;
  /** The uid of the session that the grant ends with; absent where it outlives it. */
  sessionUid?: string | undefined;
  /** What the app knows the session by, where its tokens say so. */
  sid?: string | undefined;
}

export interface Reuse {
  /** Ends the family of a chain, of which `seen` was read, and tells of it. Of callers at once one does. */
  end(chain: string, seen: Payload, sessionUid: string | undefined): Promise<void>;
  /** Whether what was read of a chain is the record of its end. */
  isEnded(seen: Payload): boolean;
  /** Goes on with an end that was begun, if whoever began it had their time. */
  finish(chain: string, seen: Payload): Promise<undefined>;
}

interface Needs {
  records: Pick<SealedRecords, 'find' | 'replace' | 'upsert' | 'destroy' | 'revokeGrant'>;
  /** Tells of it; again, should it have been stopped the first time. */
  tell(family: EndedFamily): Promise<void>;
}

interface Ended {
  family: EndedFamily;
  /** Milliseconds since the epoch, until when somebody is at it. */
  turnUntil: number;
}

const endedOf = (seen: Payload) => seen['ended'] as Ended | undefined;

function familyOf(token: Payload, sessionUid: string | undefined): EndedFamily {
  const { accountId, grantId, clientId } = token;
  const sid = token['sid'] as string | undefined;
  return { accountId: accountId!, grantId: grantId!, clientId: String(clientId), sessionUid, sid };
}

export function createReuse({ records, tell }: Needs): Reuse {
  // Without the grant's id where the store looks for it, or revoking the grant would take it along.
  const recordOf = (family: EndedFamily) => ({ ended: { family, turnUntil: Date.now() + TURN_MS } satisfies Ended });

  async function goOn(chain: string, family: EndedFamily): Promise<void> {
    await records.revokeGrant(family.grantId, { withGrant: true });
    await tell(family);
    await records.destroy(KIND, chain);
  }

  return {
    isEnded: (seen) => endedOf(seen) !== undefined,

    async end(chain, seen, sessionUid) {
      const family = familyOf(seen, sessionUid);
      let current: Payload | undefined = seen;
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        if (!current || endedOf(current)) return; // by another request, which tells of it
        if (await records.replace(KIND, chain, current, recordOf(family), REMEMBERED)) return goOn(chain, family);
        current = await records.find(KIND, chain);
      }
      // Somebody keeps refreshing faster than we look.
      await records.upsert(KIND, chain, recordOf(family), REMEMBERED);
      await goOn(chain, family);
    },

    async finish(chain, seen) {
      const ended = endedOf(seen);
      if (!ended || ended.turnUntil > Date.now()) return undefined;
      const { family } = ended;
      if (await records.replace(KIND, chain, seen, recordOf(family), REMEMBERED)) await goOn(chain, family);
      return undefined;
    },
  };
}
