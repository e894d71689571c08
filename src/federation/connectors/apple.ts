import { importPKCS8, SignJWT } from 'jose';
import type { Dialect } from '../openid-connect.ts';
import type { AppleSettings } from '../settings.ts';

const SECRET_SECONDS = 300;

/** The person's name, which Apple sends once, beside the code, and signs with nothing. */
function nameIn(form: URLSearchParams): string | undefined {
  try {
    const { name } = JSON.parse(form.get('user') ?? '{}') as { name?: { firstName?: unknown; lastName?: unknown } };
    const parts = [name?.firstName, name?.lastName].filter((part) => typeof part === 'string');
    return parts.join(' ') || undefined;
  } catch {
    return undefined;
  }
}

/** Apple: the client's secret is a JWT made for each call; the answer comes as a form; it cannot be made to ask again. */
export function apple({ issuer, client_id, scopes, team_id, key_id, private_key }: AppleSettings): Dialect {
  async function clientSecret(): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: key_id })
      .setIssuer(team_id)
      .setSubject(client_id)
      .setAudience(issuer)
      .setIssuedAt()
      .setExpirationTime(`${SECRET_SECONDS} seconds`)
      .sign(await importPKCS8(private_key, 'ES256'));
  }

  return {
    issuer,
    client_id,
    scopes,
    form_post: true,
    authenticate: () => async (_server, _client, body) => {
      body.set('client_id', client_id);
      body.set('client_secret', await clientSecret());
    },
    parameters: () => ({ response_mode: 'form_post' }),
    read: ({ email, email_verified }, form) => ({
      email,
      // Apple writes it as text.
      email_verified: email_verified === true || email_verified === 'true',
      name: nameIn(form),
      picture: undefined,
    }),
  };
}
