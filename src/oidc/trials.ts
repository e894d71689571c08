/**
 * Apps that an admin tries: for one run alone an app has one more redirect URI, which is ours, and one more secret. Nothing of it is
 * written into the app's record. Requests of the run are told by what only it knows: those of the admin's browser by the run's
 * state, those that we send ourselves by a mark that never leaves this process. All others get the app as it is registered.
 */
import { Provider } from 'oidc-provider';
import type { AllClientMetadata } from 'oidc-provider';
import { authMethod } from '../clients/client.ts';
import type { Client } from '../clients/client.ts';
import { needsPlainSecret } from '../clients/protocol.ts';
import { hashSecret } from '../clients/secret.ts';
import { newSecret } from '../kernel/ids.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';

/** In the query of the authorization request. */
export const TRIAL_PARAMETER = 'gatehouse_try';
const MARK = 'gatehouse-try';
const KIND = 'Trial';

interface Trial {
  client_id: string;
  /** As it is compared; null of an app that proves itself otherwise. */
  accepted: string | null;
}

export interface Trials {
  /** The redirect URI of them all. */
  callback: string;
  /** For the browser that brings `state`, the app with this id has our redirect URI too for `ttl` seconds. */
  open(state: string, clientId: string, ttl: number): Promise<void>;
  close(state: string): Promise<void>;
  /** Does what takes a secret of the app; requests that carry `headers` may prove themselves by `secret`. */
  acting<T>(client: Client, work: (secret: string, headers: Record<string, string>) => Promise<T>): Promise<T>;
  /** The app with this id as the request under way may have it. */
  extended(id: string, metadata: AllClientMetadata): Promise<AllClientMetadata>;
}

interface Needs {
  issuer: string;
  records: Pick<SealedRecords, 'insertIfAbsent' | 'find' | 'destroy'>;
}

export function createTrials({ issuer, records }: Needs): Trials {
  const callback = `${issuer}/admin/try/callback`;
  const acting = new Map<string, Trial>();

  async function ofRequest(): Promise<Trial | undefined> {
    const ctx = Provider.ctx;
    if (!ctx) return undefined;
    const mark = ctx.get(MARK);
    if (mark !== '') return acting.get(mark);
    const state = ctx.query[TRIAL_PARAMETER];
    return typeof state === 'string' ? ((await records.find(KIND, state)) as Trial | undefined) : undefined;
  }

  return {
    callback,
    async open(state, clientId, ttl) {
      await records.insertIfAbsent(KIND, state, { client_id: clientId, accepted: null }, ttl);
    },
    close: (state) => records.destroy(KIND, state),
    async acting(client, work) {
      const [secret, mark] = [newSecret(), newSecret()];
      acting.set(mark, {
        client_id: client.id,
        accepted: needsPlainSecret(authMethod(client)) ? secret : hashSecret(secret),
      });
      try {
        return await work(secret, { [MARK]: mark });
      } finally {
        acting.delete(mark);
      }
    },
    async extended(id, metadata) {
      const trial = await ofRequest();
      if (trial?.client_id !== id) return metadata;
      const { accepted } = trial;
      return {
        ...metadata,
        redirect_uris: [...(metadata.redirect_uris ?? []), callback],
        ...(accepted === null || metadata.client_secret === undefined
          ? {}
          : { client_secret: accepted, accepted_secrets: [{ value: accepted, expires_at: null }] }),
      };
    },
  };
}
