import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { AppSettings } from '../clients/app-settings.ts';
import type { Config } from '../config/schema.ts';

type Ttl = NonNullable<Configuration['ttl']>;

/** What the client says of them. */
const of = (client: object): AppSettings => client;

const shorter = (one: number | undefined, other: number | undefined): number | undefined =>
  one !== undefined && other !== undefined ? Math.min(one, other) : (one ?? other);

/** Lifetimes in seconds, from the configuration. */
export function lifetimes(config: Config['lifetimes'], protocol: Pick<Config, 'device_flow' | 'ciba'>): Ttl {
  const accessToken = (
    _ctx: KoaContextWithOIDC,
    token: { resourceServer?: { accessTokenTTL?: number | undefined } | undefined },
    client: object,
  ) => shorter(token.resourceServer?.accessTokenTTL, of(client).access_token_lifetime) ?? config.access_token;
  return {
    AccessToken: accessToken,
    ClientCredentials: accessToken,
    AuthorizationCode: config.authorization_code,
    IdToken: (_ctx, _token, client) => of(client).id_token_lifetime ?? config.id_token,
    Interaction: config.interaction,
    DeviceCode: protocol.device_flow.code_lifetime,
    BackchannelAuthenticationRequest: (ctx: KoaContextWithOIDC) =>
      Math.min(protocol.ciba.request_lifetime, Number(ctx.oidc.params?.['requested_expiry'] ?? Infinity)),
    Session: () => config.session,
    // A grant that ended before its last token would take it along; one that can give no refresh token need not last.
    Grant(_ctx, grant) {
      const { mayRefresh, longestToken = 0 } = grant as { mayRefresh?: boolean; longestToken?: number };
      const last = mayRefresh === false ? config.access_token : config.refresh_token_absolute;
      return config.authorization_code + Math.max(last, longestToken);
    },
    RefreshToken: (_ctx, token, client) =>
      Math.max(
        1,
        Math.min(
          of(client).refresh_token_lifetime ?? config.refresh_token,
          config.refresh_token_absolute - token.totalLifetime(),
        ),
      ),
  };
}
