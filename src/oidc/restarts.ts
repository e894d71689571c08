/**
 * What a dead end needs to have a door: the parameters of an authorization request, remembered beside its interactions and
 * longer than they live, so that an expired or overtaken sign-in can be started again.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { SealedRecords } from '../protocol/sealed-records.ts';

const KIND = 'Restart';
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
  /** @param browser a mark that only the browser which sent the request can show again. */
  remember(
    interaction: { uid: string; cid?: unknown; deviceCode?: unknown; params: Record<string, unknown> },
    browser: string,
  ): Promise<void>;
  find(uid: string): Promise<Restart | undefined>;
  /** Notes that the chain of interactions `cid` ended with a code. */
  finish(cid: string): Promise<void>;
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
    remember: ({ uid, cid, deviceCode, params }, browser) => {
      const device = deviceCode !== undefined;
      const remembered = { cid, device, clientId: params['client_id'], query: toQuery(params), browser };
      return records.upsert(KIND, uid, remembered, LIFE_SECONDS);
    },
    async find(uid) {
      const found = await records.find(KIND, uid);
      if (!found) return undefined;
      const finished = (await records.find(FINISHED, String(found['cid']))) !== undefined;
      return {
        device: found['device'] === true,
        clientId: String(found['clientId']),
        query: String(found['query']),
        browser: String(found['browser']),
        finished,
      };
    },
    finish: (cid) => records.upsert(FINISHED, cid, {}, LIFE_SECONDS),
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
