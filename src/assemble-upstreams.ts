/** Wires the providers that people sign in with: those of the configuration, and those that admins add while all runs. */
import { createUpstreams } from './administration/upstreams.ts';
import type { Audit } from './audit/audit.ts';
import type { Clients } from './clients/clients.ts';
import { createProviderCheck } from './config/provider-check.ts';
import type { Config } from './config/schema.ts';
import type { UpstreamFetch } from './federation/connector.ts';
import { createProviders } from './federation/providers.ts';
import type { Providers } from './federation/providers.ts';
import { createProviderRecords, NO_PROVIDERS, PROVIDERS } from './federation/records.ts';
import { createLiveDocument } from './kernel/live-documents.ts';
import { isPublicLiteral } from './kernel/addresses.ts';
import type { Logger } from './kernel/logger.ts';
import type { VaultFor } from './assemble-keys.ts';
import type { Storage } from './storage/storage.ts';

/** How upstreams are reached. What it takes is loaded when somebody first signs in with one. */
function upstreamFetch({ federation, outbound }: Config): UpstreamFetch {
  // Only the operator names what may be anywhere; providers that were added are reached like all that others name.
  const named = Object.values(federation).flatMap((settings) => [
    settings.issuer,
    'api_url' in settings ? settings.api_url : undefined,
  ]);
  const origins = named.flatMap((url) => (url === undefined ? [] : [new URL(url).origin]));
  return async (url, init) => {
    const { partnerFetch } = await import('./http/fetch-partner.ts');
    return partnerFetch({ origins, allowPrivate: outbound.allow_private }, url, init);
  };
}

interface Needs {
  config: Config;
  storage: Storage;
  vaultFor: VaultFor;
  log: Logger;
}

/** Providers, and the document that each process follows them by. */
export async function assembleProviders({ config, storage, vaultFor, log }: Needs) {
  const live = createLiveDocument(storage.liveDocuments, PROVIDERS, NO_PROVIDERS);
  const records = createProviderRecords({
    live,
    sealing: vaultFor('providers'),
    configured: config.federation,
    check: createProviderCheck({
      production: config.production,
      allowPrivate: config.outbound.allow_private,
      isPublic: isPublicLiteral,
    }),
    log,
  });
  await live.refresh();
  const providers = createProviders({
    settings: records.active,
    issuer: config.issuer,
    createAccounts: () => config.sign_up.enabled,
    fetch: upstreamFetch(config),
  });
  return { live, records, providers };
}

interface UseCaseNeeds {
  config: Pick<Config, 'issuer'>;
  providerRecords: ReturnType<typeof createProviderRecords>;
  providers: Providers;
  clients: Clients;
  audit: Audit;
}

export const assembleUpstreams = ({ config, providerRecords, ...needs }: UseCaseNeeds) =>
  createUpstreams({ ...needs, records: providerRecords, issuer: config.issuer });
