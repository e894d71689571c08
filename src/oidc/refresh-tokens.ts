/**
 * Refresh tokens. A chain of them is one record, which each refresh replaces by compare-and-set: one write, nothing to clean up,
 * and after a crash either the old token is good or its successor. A token names its chain and its place in it and is
 * signed, so that an earlier one of a living chain is known for what it is: sent a second time.
 */
import { errors, Provider } from 'oidc-provider';
import type { Adapter, KoaContextWithOIDC } from 'oidc-provider';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Vault } from '../kernel/secrets.ts';
import { newId } from '../kernel/ids.ts';
import type { Payload, SealedRecords } from '../protocol/sealed-records.ts';

const KIND = 'RefreshToken';
const PURPOSE = 'refresh token';
const SHAPE = /^([\w-]{1,64})~(\d{1,9})~[\w-]{43}$/;

/** What the request under way has read of the chain, and may replace if it is still so. */
const NEWEST = Symbol('newest');
type Reading = KoaContextWithOIDC & { [NEWEST]?: Payload };

interface Place {
  chain: string;
  /** 0 for the first of its chain. */
  number: number;
}

export interface RefreshTokens {
  /** The first token of a new chain, or the one that comes after `rotated`. */
  tokenId(rotated: { jti: string } | undefined): string;
  adapter: Pick<Adapter, 'find' | 'upsert' | 'consume' | 'destroy'>;
}

function toPlace(token: string): Place | undefined {
  const [, chain, number] = SHAPE.exec(token) ?? [];
  return chain === undefined ? undefined : { chain, number: Number(number) };
}

export function createRefreshTokens({ vault, records }: { vault: Vault; records: SealedRecords }): RefreshTokens {
  function toToken({ chain, number }: Place): string {
    const place = `${chain}~${number}`;
    return `${place}~${vault.sign(PURPOSE, place)}`;
  }

  const isOurs = (token: string, place: Place) => constantTimeEqual(toToken(place), token);

  return {
    tokenId(rotated) {
      const before = rotated && toPlace(rotated.jti);
      return toToken(before ? { ...before, number: before.number + 1 } : { chain: newId(), number: 0 });
    },

    adapter: {
      async find(token) {
        const place = toPlace(token);
        const newest = place && (await records.find(KIND, place.chain));
        if (!newest) return undefined;
        if (constantTimeEqual(String(newest['jti']), token)) {
          if (Provider.ctx) (Provider.ctx as Reading)[NEWEST] = newest;
          return newest;
        }
        return isOurs(token, place) ? { ...newest, jti: token, consumed: true } : undefined;
      },

      async upsert(token, payload, ttl) {
        const { chain, number } = toPlace(token)!;
        if (number === 0) return records.upsert(KIND, chain, payload, ttl);
        const before = (Provider.ctx as Reading | undefined)?.[NEWEST];
        if (!before || !(await records.replace(KIND, chain, before, payload, ttl)))
          throw new errors.InvalidGrant('the refresh token was used by another request at the same moment');
      },

      // Its successor takes its place; until then it stays good.
      consume: async () => undefined,

      async destroy(token) {
        const place = toPlace(token);
        if (place && isOurs(token, place)) await records.destroy(KIND, place.chain);
      },
    },
  };
}
