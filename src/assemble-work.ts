/** What goes on beside requests: mails, log-outs and pings that wait, what other processes changed, and what is over. */
import { startErasing } from './accounts/erasing.ts';
import { startWarningOfSecrets } from './administration/expiring-secrets.ts';
import { adoptOldRecords, startLoggingHeads } from './assemble-audit.ts';
import type { assembleBackstage } from './assemble-backstage.ts';
import { finishRenaming } from './assemble-roles.ts';
import type { Afterwards } from './http/afterwards.ts';
import { followDocuments } from './kernel/live-documents.ts';
import type { Logger } from './kernel/logger.ts';
import type { LiveKeys } from './keys/live-keys.ts';
import type { LogOuts } from './assemble-logout.ts';
import { startSweeper } from './protocol/sweeper.ts';

export interface WorkNeeds {
  backstage: Awaited<ReturnType<typeof assembleBackstage>>;
  liveKeys: LiveKeys;
  ciba: { start(): () => Promise<void> };
  afterwards: Afterwards;
  signLogOut: Parameters<LogOuts['start']>[0];
  log: Logger;
}

/** Starts all of it. @returns what ends it: what is under way is finished, and what waits in the store waits there. */
export async function startWork({ backstage, liveKeys, ciba, afterwards, signLogOut, log }: WorkNeeds) {
  const { storage, mail, logOuts, audit, records, accounts, access, clients, invitations, keys } = backstage;
  const stopKeys = liveKeys.start();
  const stopFollowing = followDocuments(storage.liveDocuments, backstage.liveDocuments, log);
  const stopMail = await mail.start();
  const stopPings = ciba.start();
  const stopLogOuts = logOuts.start(signLogOut);
  await adoptOldRecords(audit, records);
  finishRenaming(backstage, log);
  const stopLoggingHeads = startLoggingHeads(audit, log);
  const stopErasing = startErasing({ accounts, erase: (id) => access.remove(id), log }, async () => {
    await audit.purge();
    await invitations.purge();
  });
  const sweepings = [storage.protocol, storage.counters].map((store) =>
    startSweeper(store, (error) => log.warn({ err: error }, 'sweeping expired records failed')),
  );
  sweepings.push(startWarningOfSecrets({ clients, log }));

  return async () => {
    stopErasing();
    await audit.idle();
    await stopLoggingHeads();
    for (const stop of sweepings) stop();
    await afterwards.idle();
    stopKeys();
    stopFollowing();
    await keys.fetches.flush();
    await Promise.all([stopMail(), stopLogOuts(), stopPings()]);
  };
}
