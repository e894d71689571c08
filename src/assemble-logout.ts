/** Wires log-out: what ends things and tells the apps. The commands queue; a running server sends. */
import { isBuiltIn } from './clients/client.ts';
import type { Clients } from './clients/clients.ts';
import type { Config } from './config/schema.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import { createEndings } from './logout/endings.ts';
import type { Endings } from './logout/endings.ts';
import { startPurging } from './logout/purge.ts';
import { createQueue } from './logout/queue.ts';
import type { Queue } from './logout/queue.ts';
import { createReceipts } from './logout/receipts.ts';
import type { Receipts } from './logout/receipts.ts';
import type { RunnerNeeds } from './logout/runner.ts';
import { startRunner } from './logout/runner.ts';
import { createSessionApps } from './logout/session-apps.ts';
import type { SessionApps } from './logout/session-apps.ts';
import type { LogoutStore } from './logout/store.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';

export interface LogOuts {
  endings: Endings;
  apps: SessionApps;
  queue: Queue;
  receipts: Receipts;
  /** Begins to tell. @returns a function that stops, what is in hand finished. */
  start(sign: RunnerNeeds['sign']): () => Promise<void>;
}

interface Needs {
  config: Pick<Config, 'issuer' | 'lifetimes' | 'outbound'>;
  store: LogoutStore;
  vault: Vault;
  records: SealedRecords;
  clients: Pick<Clients, 'find'>;
  log: Logger;
}

export function assembleLogOuts({ config, store, vault, records, clients, log }: Needs): LogOuts {
  const ttl = () => {
    const { session, authorization_code, refresh_token_absolute } = config.lifetimes;
    return Math.max(2 * session, authorization_code + refresh_token_absolute);
  };
  const apps = createSessionApps({ store, vault, ttl });
  const queue = createQueue({ store, vault });
  let onQueued = () => undefined as void;
  const endings = createEndings({ apps, queue, records, clients, onQueued: () => onQueued() });
  const receipts = createReceipts({ records, queue, clients, issuer: config.issuer, isOwn: isBuiltIn });

  /** Loaded when the first app is told. */
  async function post(uri: string, logout_token: string) {
    const { postUntrusted } = await import('./http/fetch-untrusted.ts');
    return postUntrusted(uri, { logout_token }, { allowPrivate: config.outbound.allow_private });
  }

  return {
    endings,
    apps,
    queue,
    receipts,
    start(sign) {
      const stopPurging = startPurging(store, (error) => log.warn({ err: error }, 'purging old log-outs failed'));
      const runner = startRunner({ store, queue, endings, clients, sign, post, log });
      onQueued = runner.nudge;
      return async () => {
        stopPurging();
        await runner.stop();
      };
    },
  };
}
