/** Wires dynamic registration: where it is off, nothing of it is there. */
import { clientSecrets } from './assemble-protocol.ts';
import type { Audit } from './audit/audit.ts';
import type { Client } from './clients/client.ts';
import type { Clients } from './clients/clients.ts';
import type { RegistrationStore } from './clients/registrations.ts';
import { hashSecret, secretMatches } from './clients/secret.ts';
import { liveSecretsOf } from './clients/secrets.ts';
import type { Config } from './config/schema.ts';
import type { Afterwards } from './http/afterwards.ts';
import type { Callers } from './http/caller.ts';
import type { ClientAddress } from './http/client-address.ts';
import { isPublicLiteral } from './kernel/addresses.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import type { Limits } from './limits/limits.ts';
import { createClientCheck } from './oidc/client-check.ts';
import type { ClientFetch } from './oidc/features/features.ts';
import type { ProviderSwitch } from './oidc/provider-switch.ts';
import { noteRegisteredUses } from './oidc/registered-uses.ts';
import type { registrationRoutes as Routes } from './registration/routes.ts';

interface Needs {
  config: Config;
  storage: { registrations: RegistrationStore };
  clients: Clients;
  provider: ProviderSwitch['provider'];
  clientFetch: ClientFetch;
  vaultFor(name: 'clients'): Vault;
  callers: Callers;
  audit: Audit;
  limits: Limits;
  clientAddress: ClientAddress;
  afterwards: Afterwards;
  log: Logger;
}

export interface Registering {
  routes: ReturnType<typeof Routes> | undefined;
  stop(): void;
}

export async function assembleRegistration(needs: Needs): Promise<Registering> {
  const { config, storage, clients, provider, audit, callers, log, afterwards } = needs;
  const store = storage.registrations;
  if (config.registration.mode === 'off') return { routes: undefined, stop: () => undefined };
  const { createRegistration } = await import('./registration/registration.ts');
  const { registrationRoutes } = await import('./registration/routes.ts');
  const { within } = await import('./registration/policy.ts');
  const { startRemovingUnused } = await import('./registration/expiry.ts');
  const { openSecret } = clientSecrets(needs.vaultFor('clients'));
  const policy = {
    registration: config.registration,
    responseTypes: config.oauth.response_types,
    allowPrivate: config.outbound.allow_private,
    isPublicHost: isPublicLiteral,
  };
  const registration = createRegistration({
    issuer: config.issuer,
    settings: config.registration,
    store,
    clients,
    within: (input) => within(policy, input),
    accept: createClientCheck({ provider, fetch: needs.clientFetch }),
    isSecret: (client: Client, secret) =>
      liveSecretsOf(client).some(({ sealed, hash }) =>
        secretMatches(secret, sealed === null ? (hash ?? '') : hashSecret(openSecret(client.id, sealed))),
      ),
    async note(what, { id, type, redirect_uris }, initial_token) {
      callers.actAs({ kind: 'client', id });
      const detail = { dynamic: 'true', ...(initial_token === null ? {} : { initial_token }) };
      const said =
        what === 'client_deleted' ? {} : { type, redirect_uris: JSON.stringify(redirect_uris).slice(0, 300) };
      await audit.act(what, { kind: 'client', id }, { ...detail, ...said });
    },
  });
  noteRegisteredUses({
    provider,
    concerns: (client) => client['dynamically_registered'] === true && client['document_name'] === undefined,
    noteUse: (id, at) => store.noteUse(id, at),
    after: afterwards.after,
  });
  const stop = startRemovingUnused({
    store,
    clients,
    unusedAfter: config.registration.unused_after,
    note: ({ client_id }) => audit.act('client_deleted', { kind: 'client', id: client_id }, { unused: 'true' }),
    log,
  });
  return { routes: registrationRoutes({ ...needs, registration }), stop };
}
