import { UpstreamError } from '../connector.ts';
import { withSecret } from '../openid-connect.ts';
import type { Dialect } from '../openid-connect.ts';
import type { GoogleSettings } from '../settings.ts';

/**
 * Google. It cannot be made to ask for a password again (its `prompt` knows no `login`), so the nearest is offered: that the
 * person chooses the account anew.
 */
export function google({ issuer, client_id, client_secret, scopes, hosted_domain }: GoogleSettings): Dialect {
  return {
    issuer,
    client_id,
    scopes,
    authenticate: withSecret(client_secret),
    parameters: ({ login_hint, fresh, select_account }) => ({
      ...(login_hint === undefined ? {} : { login_hint }),
      ...(fresh || select_account ? { prompt: 'select_account' } : {}),
      ...(hosted_domain === undefined ? {} : { hd: hosted_domain }),
    }),
    read(claims) {
      // The parameter `hd` only suggests; a person may take it out of the address.
      if (hosted_domain !== undefined && claims['hd'] !== hosted_domain) throw new UpstreamError('wrong_account', 'hd');
      const { email, email_verified, name, picture } = claims;
      return { email, email_verified: email_verified === true, name, picture };
    },
  };
}
