/** The extensions of the protocol, one file each: what the configuration of the library says of all of them together. */
import type { IncomingMessage } from 'node:http';
import type { Configuration } from 'oidc-provider';
import { AUTH_METHODS } from '../../clients/protocol.ts';
import type { SignedWith } from '../../clients/protocol.ts';
import type { Config } from '../../config/schema.ts';
import type { Vault } from '../../kernel/secrets.ts';
import { bindingFeatures } from './binding.ts';
import { cibaFeatures } from './ciba.ts';
import type { CibaNeeds } from './ciba.ts';
import { deviceFeatures } from './device.ts';
import type { DevicePages } from './device.ts';
import { fapiFeatures } from './fapi.ts';
import { mutualTlsFeatures } from './mutual-tls.ts';
import type { MutualTls } from './mutual-tls.ts';
import { algorithms, signatureFeatures } from './signatures.ts';
import { createSubjects, subjectConfiguration } from './subjects.ts';

/** Fetches an address that a client named: with limits of time and size, from public addresses only. */
export type ClientFetch = (url: string, init: RequestInit) => Promise<Response>;

export interface FeatureNeeds extends CibaNeeds {
  config: Pick<Config, 'oauth' | 'device_flow' | 'ciba'>;
  devicePages: DevicePages;
  clientAddress: (req: IncomingMessage) => string;
  vault: Pick<Vault, 'sign'>;
  clientFetch: ClientFetch;
  mutualTls: MutualTls | undefined;
}

const MOST_BYTES = 64 * 1024;

export const protocolFeatures = (needs: FeatureNeeds) => ({
  ...signatureFeatures(needs.config),
  ...bindingFeatures(needs),
  ...fapiFeatures,
  ...mutualTlsFeatures(needs.mutualTls),
  ...deviceFeatures(needs),
  ...cibaFeatures(needs),
});

/** @param needs `signedWith`: the algorithms that there are keys for. */
export function protocolConfiguration({
  vault,
  clientFetch,
  mutualTls,
  signedWith,
}: Pick<FeatureNeeds, 'vault' | 'clientFetch' | 'mutualTls'> & { signedWith: SignedWith[] }): Configuration {
  return {
    clientAuthMethods: AUTH_METHODS.filter((method) => mutualTls || !method.includes('tls')),
    enabledJWA: algorithms(signedWith),
    fetch: clientFetch as NonNullable<Configuration['fetch']>,
    fetchResponseBodyLimits: { jwks_uri: MOST_BYTES, sector_identifier_uri: MOST_BYTES },
    ...subjectConfiguration(createSubjects(vault)),
  };
}
