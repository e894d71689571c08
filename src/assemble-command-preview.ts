/** Wires the preview of tokens for commands: an engine that serves nobody needs none of the pages and notices of the one that does. */
import type { TokenPreview } from './administration/token-preview.ts';
import { assembleCiba } from './assemble-ciba.ts';
import type { Backstage } from './assemble-backstage.ts';
import { assembleDocuments } from './assemble-documents.ts';
import { assembleGuards } from './assemble-limits.ts';
import { assemblePreview } from './assemble-preview.ts';
import { assembleProtocol, clientSecrets, grantsOn } from './assemble-protocol.ts';
import type { Config } from './config/schema.ts';
import type { Callers } from './http/caller.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import { createClientDirectory } from './oidc/client-directory.ts';
import { createRestarts } from './oidc/restarts.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';

interface Needs extends Omit<Backstage, 'commandPreview' | 'close'> {
  config: Config;
  records: SealedRecords;
  vault: Vault;
  callers: Callers;
  log: Logger;
}

/** A preview runs a token request: nobody is shown a page, and nothing is told of it. */
function neverAsked(): never {
  throw new Error('a preview asks for no page');
}
const untold = async () => undefined;

export async function assembleCommandPreview(needs: Needs): Promise<TokenPreview> {
  const { config, storage, vault, records, clients, limits, callers, log } = needs;
  const documents = await assembleDocuments(needs);
  const backstage = { ...needs, commandPreview: neverAsked, close: untold };
  const directory = createClientDirectory({
    clients,
    documents,
    grants: grantsOn(config),
    ...clientSecrets(needs.vaultFor('clients')),
  });
  return assemblePreview(
    { ...needs, documents },
    {
      ...needs,
      ...assembleGuards({ config, store: storage.counters, vault, limits, log }),
      ...assembleProtocol(config),
      liveKeys: await needs.keys.live(),
      keySetFetches: needs.keys.fetches,
      directory,
      consents: storage.consents,
      canEnrolPasskey: needs.passkeys !== undefined,
      restarts: createRestarts(records),
      pages: { error: neverAsked, signOut: neverAsked, signedOut: neverAsked },
      asking: assembleCiba(backstage).asking,
      identities: storage.identities,
      devicePages: { enterCode: neverAsked, confirm: neverAsked, connected: neverAsked },
      browserOf: neverAsked,
      caller: callers.current,
      onSignIn: untold,
      onToken: () => undefined,
      onReuse: untold,
      logOuts: { ...needs.logOuts, onSignOut: untold },
    },
  );
}
