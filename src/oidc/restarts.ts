/**
 * What a dead end needs to have a door: the authorization request that led to it. Its interactions know it, and so each is kept for a day, also
 * when it has ended or expired, which for all others means that it is gone.
 */
import type { Adapter, KoaContextWithOIDC } from 'oidc-provider';
import type { SealedRecords } from '../protocol/sealed-records.ts';

const KIND = 'Interaction';
const FINISHED = 'FinishedAuthorization';
const LIFE_SECONDS = 86_400;

export interface Restart {
  clientId: string;
  /** It began with a code typed at `/device`, where it begins again. */
  device: boolean;
  /** Query of the authorization request. */
  query: string;
  /** Mark of the browser that sent it. */
  browser: string;
  /** The authorization response was already sent to the app. */
  finished: boolean;
}

export interface Restarts {
  find(uid: string): Promise<Restart | undefined>;
  /** Notes that the chain of interactions `cid` ended with a code. */
  finish(cid: string): Promise<void>;
  /** How interactions are kept. */
  interactions: Pick<Adapter, 'find' | 'upsert' | 'destroy'>;
}

/** What an interaction says. */
interface Kept {
  cid?: string;
  deviceCode?: string;
  params?: Record<string, unknown>;
  browser?: string;
}

function toQuery(params: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) if (typeof one === 'string') query.append(name, one);
  }
  return query.toString();
}

export function createRestarts(records: SealedRecords): Restarts {
  return {
    async find(uid) {
      const found = (await records.find(KIND, uid)) as Kept | undefined;
      if (!found) return undefined;
      const { cid, deviceCode, params = {}, browser = '' } = found;
      return {
        device: deviceCode !== undefined,
        clientId: String(params['client_id']),
        query: toQuery(params),
        browser,
        finished: cid !== undefined && (await records.find(FINISHED, cid)) !== undefined,
      };
    },
    finish: (cid) => records.upsert(FINISHED, cid, {}, LIFE_SECONDS),
    interactions: {
      async find(uid) {
        const found = await records.find(KIND, uid);
        return found?.consumed === undefined ? found : undefined;
      },
      upsert: (uid, payload, ttl = 0) => records.upsert(KIND, uid, payload, Math.max(ttl, LIFE_SECONDS)),
      destroy: async (uid) => void (await records.consume(KIND, uid)),
    },
  };
}

/** Notes an authorization as finished when its code goes out. */
export const noteFinished =
  (restarts: Restarts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
    const cid = (oidc?.entities.Interaction as { cid?: string } | undefined)?.cid;
    if (oidc?.route === 'resume' && oidc.entities.AuthorizationCode && cid !== undefined) await restarts.finish(cid);
  };
