/** Wires what lets apps ask people who are elsewhere (CIBA): asking, the answers, and telling the apps of them. */
import type { Backstage } from './assemble-backstage.ts';
import type { Config } from './config/schema.ts';
import type { Logger } from './kernel/logger.ts';
import { createApprovals } from './oidc/approvals.ts';
import { createAsking } from './oidc/asking.ts';
import { createPings } from './oidc/pings.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';

interface Needs extends Backstage {
  config: Config;
  records: SealedRecords;
  log: Logger;
}

export function assembleCiba({ config, records, clients, factors, book, logOuts, mail, passkeys, log }: Needs) {
  const { enabled } = config.ciba;
  const pings = createPings({
    records,
    clients,
    log,
    // Loaded when the first app is told.
    async post(uri, bearer, body) {
      const { postJsonUntrusted } = await import('./http/fetch-untrusted.ts');
      return postJsonUntrusted(uri, bearer, body, { allowPrivate: config.outbound.allow_private });
    },
  });
  return {
    asking: createAsking({
      records,
      mailer: mail.mailer,
      urlOf: (id) => `${config.issuer}/account/requests/${id}`,
    }),
    /** Undefined where it is off. */
    approvals: (engine: Pick<Parameters<typeof createApprovals>[0], 'provider' | 'directory' | 'consents'>) =>
      enabled
        ? createApprovals({
            ...engine,
            records,
            factors,
            book,
            apps: logOuts.apps,
            pings,
            policy: config.factors,
            canEnrolPasskey: passkeys !== undefined,
          })
        : undefined,
    start: () => (enabled ? pings.start() : async () => undefined),
  };
}
