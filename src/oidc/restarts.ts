/**
 * What a dead end needs to have a door: the authorization request that led to it. Its interactions know it, and so each is kept for a day, also
 * when it has ended or expired, which for all others means that it is gone.
 */
import { Provider } from 'oidc-provider';
import type { Adapter } from 'oidc-provider';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { late } from './late-writes.ts';

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
  /** Notes that the chain of interactions that the request under way belongs to, if any, ends with a code. */
  finish(): Promise<void>;
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
    async finish() {
      const { cid } = (Provider.ctx?.oidc.entities.Interaction ?? {}) as Kept;
      if (cid !== undefined) await records.upsert(FINISHED, cid, {}, LIFE_SECONDS);
    },
    interactions: {
      async find(uid) {
        const found = await records.find(KIND, uid);
        return found?.consumed === undefined ? found : undefined;
      },
      upsert: (uid, payload, ttl = 0) => late(records.upsert(KIND, uid, payload, Math.max(ttl, LIFE_SECONDS))),
      destroy: (uid) => late(records.consume(KIND, uid)),
    },
  };
}
