/** Tokens that are good only together with a key: DPoP (RFC 9449). */
import type { Configuration } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Vault } from '../../kernel/secrets.ts';

interface Needs {
  config: Pick<Config, 'oauth'>;
  vault: Pick<Vault, 'sign'>;
}

/** The nonces follow from one secret, which all processes and restarts have in common; none is stored. */
export const bindingFeatures = ({ config, vault }: Needs) =>
  ({
    dPoP: {
      enabled: true,
      nonceSecret: Buffer.from(vault.sign('dpop nonces', ''), 'base64url'),
      requireNonce: () => config.oauth.dpop_nonce,
    },
  }) satisfies Configuration['features'];
