import { withSecret } from '../openid-connect.ts';
import type { Dialect } from '../openid-connect.ts';
import type { OidcSettings } from '../settings.ts';

const joined = (...parts: unknown[]) => parts.filter((part) => typeof part === 'string').join(' ') || undefined;

/** Any OpenID Connect provider. */
export function oidc({ issuer, client_id, client_secret, scopes }: OidcSettings): Dialect {
  return {
    issuer,
    client_id,
    scopes,
    authenticate: withSecret(client_secret),
    parameters: ({ login_hint, fresh, max_age, select_account }) => ({
      ...(login_hint === undefined ? {} : { login_hint }),
      ...(fresh ? { prompt: 'login', max_age: '0' } : {}),
      ...(!fresh && max_age !== undefined ? { max_age: String(max_age) } : {}),
      ...(!fresh && select_account ? { prompt: 'select_account' } : {}),
    }),
    read: ({ email, email_verified, name, given_name, family_name, preferred_username, picture }) => ({
      email,
      email_verified: email_verified === true,
      name: name ?? joined(given_name, family_name) ?? preferred_username,
      picture,
    }),
    tells_auth_time: true,
  };
}
