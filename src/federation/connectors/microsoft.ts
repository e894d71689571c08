import { UpstreamError } from '../connector.ts';
import { withSecret } from '../openid-connect.ts';
import type { Dialect } from '../openid-connect.ts';
import type { MicrosoftSettings } from '../settings.ts';

const HOME = 'https://login.microsoftonline.com';
const TENANT_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const TRUE = new Set<unknown>([true, 1, '1', 'true']);

/**
 * Microsoft Entra. For people of many tenants its metadata has `{tenantid}` where each ID token has the tenant of the person.
 * Its `email` is what a tenant's administrator wrote and proves nothing, unless `xms_edov` (an optional claim) or the
 * configuration says that the tenant owns the domain.
 */
export function microsoft(settings: MicrosoftSettings): Dialect {
  const { client_id, client_secret, scopes, tenant, allowed_tenants, trust_email } = settings;
  const known_as = `${HOME}/${tenant}/v2.0`;
  const issuer = settings.issuer ?? known_as;
  const { origin } = new URL(issuer);
  return {
    issuer,
    known_as,
    // The name of a tenant leads to metadata that has its id.
    isIssuer: (discovered) => URL.parse(discovered)?.origin === origin,
    client_id,
    scopes,
    authenticate: withSecret(client_secret),
    parameters: ({ login_hint, fresh, max_age, select_account }) => ({
      ...(login_hint === undefined ? {} : { login_hint }),
      ...(fresh ? { prompt: 'login' } : {}),
      ...(max_age === undefined ? {} : { max_age: String(max_age) }),
      ...(!fresh && select_account ? { prompt: 'select_account' } : {}),
    }),
    read({ tid, email, xms_edov, name }) {
      if (typeof tid !== 'string' || !TENANT_ID.test(tid)) throw new UpstreamError('refused', 'tid');
      if (allowed_tenants.length > 0 && !allowed_tenants.includes(tid)) throw new UpstreamError('wrong_account', 'tid');
      return { email, email_verified: trust_email || TRUE.has(xms_edov), name, picture: undefined };
    },
  };
}
