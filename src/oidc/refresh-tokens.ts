/**
 * Refresh tokens. A chain of them is one record, which each refresh replaces by compare-and-set: one write, nothing to clean up,
 * and after a crash either the old token is good or its successor. A token names its chain and its place in it and is
 * signed, so that an earlier one of a living chain is known for what it is: sent a second time. Within the grace window
 * a token that was replaced gives its one successor once more; any other use of a used one ends the family (RFC 9700, section 4.14.2).
 */
import { errors, Provider } from 'oidc-provider';
import type { Adapter, KoaContextWithOIDC } from 'oidc-provider';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Vault } from '../kernel/secrets.ts';
import { newId } from '../kernel/ids.ts';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';
import type { Reuse } from './reuse.ts';

export const REFRESH_TOKEN = 'RefreshToken';
const PURPOSE = 'refresh token';
const SHAPE = /^([\w-]{1,64})~(\d{1,9})~[\w-]{43}$/;
const MS = 1000;
/** Whoever refreshes more often within one window has no use for the older ones. */
const MOST_USES = 16;

interface Place {
  chain: string;
  /** 0 for the first of its chain. */
  number: number;
}

/** `newest`: not used yet. `replaced`: first used within the grace window. `used`: before that. */
type Standing = 'newest' | 'replaced' | 'used';

/** What the request under way has read of the chain, and what it is to become. */
interface Refresh {
  place: Place;
  standing: Standing;
  seen: Payload;
  next?: { payload: Payload; ttl: number | undefined };
}
const REFRESH = Symbol('refresh');
type Refreshing = KoaContextWithOIDC & { [REFRESH]?: Refresh };

/** A token that is the newest of its chain, and what was read of that. */
export interface Newest {
  chain: string;
  seen: Payload;
  /** The token that comes after it. */
  next: string;
}

export interface RefreshTokens {
  /**
   * @returns undefined for what is no newest token of a living chain; and for all where no successor is given again, as who loses a race is
   * refused there, and would be taken for a thief if they looked a second time.
   */
  newest(token: string): Promise<Newest | undefined>;
  /** Puts the next token in its place. @returns whether it is there, also by somebody who was faster; otherwise the family has ended. */
  succeed(newest: Newest, payload: Payload, ttl: number): Promise<boolean>;
  /** Begins a chain of what `payload` says beside its id. @returns its first token. */
  begin(payload: Payload, ttl: number): Promise<string>;
  /** Ends a chain whose first token nobody was given. */
  abandon(token: string): Promise<void>;
  /** The first token of a new chain, or the one that comes after `rotated`. */
  tokenId(rotated: { jti: string } | undefined): string;
  /**
   * Writes down the refresh of the request under way, if it is one. To be called when all else has been checked: a request that
   * fails leaves its token as it was. @throws InvalidGrant when somebody else was faster, or the family has ended.
   */
  rotate(): Promise<void>;
  adapter: Pick<Adapter, 'find' | 'upsert' | 'consume' | 'destroy'>;
}

interface Needs {
  vault: Vault;
  records: SealedRecords;
  /** Seconds in which a token that was replaced gives its successor again; 0 is none. */
  grace: number;
  reuse: Reuse;
}

function toPlace(token: string): Place | undefined {
  const [, chain, number] = SHAPE.exec(token) ?? [];
  return chain === undefined ? undefined : { chain, number: Number(number) };
}

const first = (): Place => ({ chain: newId(), number: 0 });

const refreshing = () => Provider.ctx as Refreshing | undefined;

export function createRefreshTokens({ vault, records, grace, reuse }: Needs): RefreshTokens {
  function toToken({ chain, number }: Place): string {
    const place = `${chain}~${number}`;
    return `${place}~${vault.sign(PURPOSE, place)}`;
  }

  const isOurs = (token: string, place: Place) => constantTimeEqual(toToken(place), token);
  const numberOf = (chain: Payload) => toPlace(String(chain['jti']))!.number;

  /** Either way, so that no clock that was put back makes the window longer than twice its length. */
  const isInWindow = (at: number) => Math.abs(Date.now() - at) < grace * MS;

  /** When those before the newest were first used, the latest first, as far back as the window reaches. */
  const uses = (chain: Payload): number[] => [chain['rotatedAt'] ?? []].flat().map(Number).filter(isInWindow);

  function standingOf(number: number, chain: Payload): Standing {
    const newest = numberOf(chain);
    // A later one than is known of was given out before a power cut, or since the backup that the store was restored from.
    if (number >= newest) return 'newest';
    return newest - number <= uses(chain).length ? 'replaced' : 'used';
  }

  const used = (seen: Payload, payload: Payload): Payload => ({
    ...payload,
    rotatedAt: [Date.now(), ...uses(seen)].slice(0, MOST_USES),
  });

  const lost = () => new errors.InvalidGrant('the refresh token was used by another request at the same moment');

  const isKnown = (token: string, place: Place, seen: Payload) =>
    constantTimeEqual(String(seen['jti']), token) || isOurs(token, place);

  /** Whether a successor is given again that another request put in its place: as long as the family has not ended since. */
  async function isGivenAgain(chain: string): Promise<boolean> {
    const now = grace > 0 ? await records.find(REFRESH_TOKEN, chain) : undefined;
    return now !== undefined && !reuse.isEnded(now);
  }

  return {
    async newest(token) {
      const place = grace > 0 ? toPlace(token) : undefined;
      const seen = place && (await records.find(REFRESH_TOKEN, place.chain));
      if (!seen || !isKnown(token, place, seen) || reuse.isEnded(seen)) return undefined;
      if (standingOf(place.number, seen) !== 'newest') return undefined;
      return { chain: place.chain, seen, next: toToken({ ...place, number: place.number + 1 }) };
    },

    succeed: async ({ chain, seen }, payload, ttl) =>
      (await records.replace(REFRESH_TOKEN, chain, seen, used(seen, payload), ttl)) || isGivenAgain(chain),

    async begin(payload, ttl) {
      const place = first();
      const jti = toToken(place);
      await records.upsert(REFRESH_TOKEN, place.chain, { ...payload, jti, kind: REFRESH_TOKEN }, ttl);
      return jti;
    },

    abandon: (token) => records.destroy(REFRESH_TOKEN, toPlace(token)!.chain),

    tokenId(rotated) {
      const before = rotated && toPlace(rotated.jti);
      return toToken(before ? { ...before, number: before.number + 1 } : first());
    },

    async rotate() {
      const { place, standing, seen, next } = refreshing()?.[REFRESH] ?? {};
      if (!place || !seen || !next) return;
      const payload = used(seen, next.payload);
      if (standing === 'newest' && (await records.replace(REFRESH_TOKEN, place.chain, seen, payload, next.ttl))) return;
      if (!(await isGivenAgain(place.chain))) throw lost();
    },

    adapter: {
      async find(token) {
        const place = toPlace(token);
        const seen = place && (await records.find(REFRESH_TOKEN, place.chain));
        if (!seen || !isKnown(token, place, seen)) return undefined;
        if (reuse.isEnded(seen)) return reuse.finish(place.chain, seen);
        const standing = standingOf(place.number, seen);
        const found = { ...seen, jti: token };
        const ctx = refreshing();
        // Elsewhere, such as at introspection, what was replaced is as good as used.
        if (ctx?.oidc.route !== 'token') return standing === 'newest' ? found : { ...found, consumed: true };
        ctx[REFRESH] = { place, standing, seen };
        return found;
      },

      // Written down by `rotate`. What begins a chain is written at once.
      async upsert(token, payload, ttl) {
        const { chain, number } = toPlace(token)!;
        if (number === 0) return records.upsert(REFRESH_TOKEN, chain, payload, ttl);
        const refresh = refreshing()?.[REFRESH];
        if (!refresh) throw new Error('a refresh token has a successor in a refresh only');
        refresh.next = { payload, ttl };
      },

      /** The library comes here when it has checked client, key, grant, scope and account, and before it makes a successor. */
      async consume() {
        const { place, standing, seen } = refreshing()?.[REFRESH] ?? {};
        if (!place || !seen || standing !== 'used') return;
        const { sessionUid } = (Provider.ctx!.oidc.entities.Grant ?? {}) as { sessionUid?: string };
        await reuse.end(place.chain, seen, sessionUid);
        throw new errors.InvalidGrant('refresh token already used');
      },

      // The grant first: stopped in between, the client may come again with the token and finish what it began.
      async destroy(token) {
        const place = toPlace(token);
        const chain = place && (await records.find(REFRESH_TOKEN, place.chain));
        if (!chain?.grantId || !isOurs(token, place!)) return;
        await records.revokeGrant(chain.grantId, { withGrant: true });
      },
    },
  };
}
