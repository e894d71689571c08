/** The provider's endpoints called by hand, for what no library would send. */
import type { Running } from './gatehouse.ts';
import type { App, Authorized } from './journey.ts';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: Record<string, unknown>;
}

export type Fields = Record<string, string>;

export async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = text !== '' && /json(?!l)/.test((response.headers.get('content-type') ?? '').replace('x-ndjson', ''));
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

export const basic = (id: string, secret: string): Fields => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

/** What an app sends to exchange a code. */
export const exchangeOf = ({ redirect_uri }: App, { callback, checks }: Authorized): Fields => ({
  grant_type: 'authorization_code',
  code: callback.searchParams.get('code')!,
  redirect_uri,
  code_verifier: String(checks.pkceCodeVerifier),
});

/** What an app may ask, with its own authentication. */
export function as(gatehouse: Running, app: App) {
  const { client_id, client_secret } = app;
  const send = async (path: string, fields: Fields, headers: Fields = {}) =>
    answer(
      await fetch(gatehouse.issuer + path, {
        method: 'POST',
        body: new URLSearchParams(client_secret === undefined ? { client_id, ...fields } : fields),
        headers: { ...(client_secret === undefined ? {} : basic(client_id, client_secret)), ...headers },
      }),
    );
  const token = (fields: Fields, headers?: Fields) => send('/token', fields, headers);
  return {
    token,
    redeem: (authorized: Authorized, fields: Fields = {}, headers?: Fields) =>
      token({ ...exchangeOf(app, authorized), ...fields }, headers),
    refresh: (refresh_token: string, fields: Fields = {}, headers?: Fields) =>
      token({ grant_type: 'refresh_token', refresh_token, ...fields }, headers),
    clientCredentials: (fields: Fields = {}) => token({ grant_type: 'client_credentials', ...fields }),
    introspect: (value: string) => send('/token/introspection', { token: value }),
    revoke: (value: string) => send('/token/revocation', { token: value }),
  };
}

export const userinfo = async (gatehouse: Running, accessToken: string, headers: Fields = {}): Promise<Answer> =>
  answer(
    await fetch(`${gatehouse.issuer}/userinfo`, { headers: { authorization: `Bearer ${accessToken}`, ...headers } }),
  );
