/** Wires what the extensions of the protocol need from the other rooms. */
import { readFileSync } from 'node:fs';
import { LIFETIME } from './clients/api-settings.ts';
import type { Bounds } from './clients/app-settings.ts';
import { createVouching, readCertificates } from './clients/certificate.ts';
import { AUTH_METHODS, CIBA, DEVICE, GRANT_TYPES } from './clients/protocol.ts';
import type { AuthMethod } from './clients/protocol.ts';
import { secretContext } from './clients/secret.ts';
import { loosened } from './config/protocol.ts';
import { PUBLISHING_MARGIN } from './kernel/publishing.ts';
import type { Config } from './config/schema.ts';
import { createFromProxy } from './http/client-address.ts';
import { createClientCertificate } from './http/client-certificate.ts';
import type { Logger } from './kernel/logger.ts';
import type { Vault } from './kernel/secrets.ts';
import type { MutualTls } from './oidc/features/mutual-tls.ts';

/** Secrets that must be read again, such as those of `client_secret_jwt`, rest encrypted, each for its client alone. */
export const clientSecrets = (vault: Pick<Vault, 'seal' | 'open'>) => ({
  seal: (secret: string, clientId: string) => vault.seal(secret, secretContext(clientId)).toString('base64url'),
  openSecret: (clientId: string, sealed: string) =>
    vault.open(Buffer.from(sealed, 'base64url'), secretContext(clientId)),
});

function mutualTls({ mtls, trusted_proxies }: Settings): MutualTls | undefined {
  if (!mtls.enabled) return undefined;
  const file = mtls.certificate_authorities_file;
  return {
    certificateOf: createClientCertificate({
      fromProxy: createFromProxy(trusted_proxies),
      header: mtls.certificate_header,
    }),
    isVouchedFor: createVouching(file === undefined ? [] : readCertificates(readFileSync(file, 'utf8'))),
    origin: mtls.origin,
  };
}

/** The ways in which clients can prove themselves here. */
export const authMethods = ({ mtls }: Pick<Config, 'mtls'>): AuthMethod[] =>
  AUTH_METHODS.filter((method) => mtls.enabled || !method.includes('tls'));

/** How long tokens of an app or for an API may live: no longer than the keys that check them, and than a chain of refresh tokens. */
export const tokenBounds = ({ keys, lifetimes }: Pick<Config, 'keys' | 'lifetimes'>): Bounds => ({
  token: Math.min(LIFETIME.max, keys.retirement - PUBLISHING_MARGIN),
  refresh: lifetimes.refresh_token_absolute,
});

/** Grants that clients can have here. */
export const grantsOn = ({ ciba, device_flow }: Pick<Config, 'ciba' | 'device_flow'>): string[] =>
  GRANT_TYPES.filter((grant) => (ciba.enabled || grant !== CIBA) && (device_flow.enabled || grant !== DEVICE));

type Settings = Pick<Config, 'outbound' | 'mtls' | 'trusted_proxies'>;

/** Says loudly at each start what is for tests alone. */
export function warnOfLoosenedRules(config: Config, log: Logger): void {
  for (const problem of loosened(config)) log.warn({ environment: config.environment }, `for tests only: ${problem}`);
}

export const assembleProtocol = (config: Settings) => ({
  // Loaded with the first address that is fetched.
  clientFetch: async (url: string, init: RequestInit) =>
    (await import('./http/fetch-for-clients.ts')).createClientFetch(config.outbound.allow_private)(url, init),
  mutualTls: mutualTls(config),
});
