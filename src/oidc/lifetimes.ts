import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/schema.ts';

type Ttl = NonNullable<Configuration['ttl']>;

/** Lifetimes in seconds, from the configuration. */
export function lifetimes(config: Config['lifetimes'], protocol: Pick<Config, 'device_flow'>): Ttl {
  const accessToken = (
    _ctx: KoaContextWithOIDC,
    token: { resourceServer?: { accessTokenTTL?: number | undefined } | undefined },
  ) => token.resourceServer?.accessTokenTTL ?? config.access_token;
  return {
    AccessToken: accessToken,
    ClientCredentials: accessToken,
    AuthorizationCode: config.authorization_code,
    IdToken: config.id_token,
    Interaction: config.interaction,
    DeviceCode: protocol.device_flow.code_lifetime,
    Session: config.session,
    // A grant that ended before its last token would take it along; one that can give no refresh token need not last.
    Grant(_ctx, grant) {
      const { mayRefresh, longestToken = 0 } = grant as { mayRefresh?: boolean; longestToken?: number };
      const last = mayRefresh === false ? config.access_token : config.refresh_token_absolute;
      return config.authorization_code + Math.max(last, longestToken);
    },
    RefreshToken: (_ctx, token) =>
      Math.max(1, Math.min(config.refresh_token, config.refresh_token_absolute - token.totalLifetime())),
  };
}
