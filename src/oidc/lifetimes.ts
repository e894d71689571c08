import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { AppSettings } from '../clients/app-settings.ts';
import type { Config } from '../config/schema.ts';

type Ttl = NonNullable<Configuration['ttl']>;

/** What the client says of them. */
const of = (client: object): AppSettings => client;

const shorter = (one: number | undefined, other: number | undefined): number | undefined =>
  one !== undefined && other !== undefined ? Math.min(one, other) : (one ?? other);

type Settings = Config['lifetimes'];

/** Of an access token, in seconds. @param api what the API says that it is for. */
export const accessTokenLifetime = (settings: Settings, client: object, api: number | undefined): number =>
  shorter(api, of(client).access_token_lifetime) ?? settings.access_token;

export const idTokenLifetime = (settings: Settings, client: object): number =>
  of(client).id_token_lifetime ?? settings.id_token;

/** Of the next token of a chain that began `age` seconds ago. */
export const refreshTokenLifetime = (settings: Settings, client: object, age: number): number =>
  Math.max(
    1,
    Math.min(of(client).refresh_token_lifetime ?? settings.refresh_token, settings.refresh_token_absolute - age),
  );

/** Lifetimes in seconds, from the configuration. */
export function lifetimes(config: Settings, protocol: Pick<Config, 'device_flow' | 'ciba'>): Ttl {
  const accessToken = (
    _ctx: KoaContextWithOIDC,
    token: { resourceServer?: { accessTokenTTL?: number | undefined } | undefined },
    client: object,
  ) => accessTokenLifetime(config, client, token.resourceServer?.accessTokenTTL);
  return {
    AccessToken: accessToken,
    ClientCredentials: accessToken,
    AuthorizationCode: config.authorization_code,
    IdToken: (_ctx, _token, client) => idTokenLifetime(config, client),
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
    RefreshToken: (_ctx, token, client) => refreshTokenLifetime(config, client, token.totalLifetime()),
  };
}
