/** Apps that register themselves: the requests by hand, and an app made of the answer. */
import { answer } from './endpoints.ts';
import type { Answer } from './endpoints.ts';
import type { Running } from './gatehouse.ts';

export interface Registered {
  client_id: string;
  client_secret?: string;
  registration_access_token: string;
  registration_client_uri: string;
  redirect_uris: string[];
  [name: string]: unknown;
}

const headers = (token: string | undefined) => ({
  'content-type': 'application/json',
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
});

export const APP = { client_name: 'Notes', redirect_uris: ['https://notes.example/callback'] };

/** @param body text is sent as it is. */
export const tryToRegister = async (gatehouse: Running, body: unknown, token?: string): Promise<Answer> =>
  answer(
    await fetch(`${gatehouse.issuer}/register`, {
      method: 'POST',
      headers: headers(token),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );

export async function registerApp(gatehouse: Running, metadata: object = {}, token?: string): Promise<Registered> {
  const { status, body } = await tryToRegister(gatehouse, { ...APP, ...metadata }, token);
  if (status !== 201) throw new Error(`not registered: ${JSON.stringify(body)}`);
  return body as unknown as Registered;
}

/** GET, PUT or DELETE of its own record. */
export const manage = async (method: string, uri: string, token: string | undefined, body?: object): Promise<Answer> =>
  answer(
    await fetch(uri, {
      method,
      headers: headers(token),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );

/** As `relyingParty` wants it. */
export const asApp = ({ client_id, client_secret, redirect_uris }: Registered) => ({
  client_id,
  client_secret,
  redirect_uri: redirect_uris[0]!,
  resource: null,
});
