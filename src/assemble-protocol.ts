/** Wires what the extensions of the protocol need from the other rooms. */
import type { Client } from './clients/client.ts';
import type { Config } from './config/schema.ts';
import type { Vault } from './kernel/secrets.ts';

const context = (clientId: string) => `client-secret:${clientId}`;

/** Secrets that must be read again, such as those of `client_secret_jwt`, rest encrypted, each for its client alone. */
export const clientSecrets = (vault: Pick<Vault, 'seal' | 'open'>) => ({
  seal: (secret: string, clientId: string) => vault.seal(secret, context(clientId)).toString('base64url'),
  openSecret: ({ id, secret_sealed }: Client) => vault.open(Buffer.from(secret_sealed!, 'base64url'), context(id)),
});

export const assembleProtocol = (config: Pick<Config, 'outbound'>) => ({
  // Loaded with the first address that is fetched.
  clientFetch: async (url: string, init: RequestInit) =>
    (await import('./http/fetch-for-clients.ts')).createClientFetch(config.outbound.allow_private)(url, init),
});
