/** The admin API as programs and admins call it. */
import { ADMIN_SCOPE_NAMES } from '../../src/administration/scopes.ts';
import type { AdminScope } from '../../src/administration/scopes.ts';
import type { Route } from '../../src/admin/route.ts';
import { answer, as } from './endpoints.ts';
import type { Answer } from './endpoints.ts';
import type { Running } from './gatehouse.ts';
import { relyingParty } from './relying-party.ts';

export interface Sent {
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Api {
  call(method: string, path: string, sent?: Sent): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

export const resourceOf = ({ issuer }: Running): string => `${issuer}/admin/api`;

/** Calls with a token, or without any. */
export function adminApi(gatehouse: Running, token?: string): Api {
  async function call(method: string, path: string, { body, headers = {} }: Sent = {}): Promise<Answer> {
    const response = await fetch(`${gatehouse.issuer}/admin/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return answer(response);
  }
  return {
    call,
    get: (path) => call('GET', path),
    post: (path, body, headers = {}) => call('POST', path, { body, headers }),
    patch: (path, body, headers = { 'if-match': '*' }) => call('PATCH', path, { body, headers }),
    delete: (path) => call('DELETE', path),
  };
}

/** A program with these scopes, and a token of its own. */
export async function programToken(
  gatehouse: Running,
  scopes: AdminScope[] = ADMIN_SCOPE_NAMES,
  resource = resourceOf(gatehouse),
): Promise<string> {
  const program = await gatehouse.app({ type: 'service', name: 'Automation', scope: scopes.join(' ') });
  const { body } = await as(gatehouse, program).clientCredentials({ resource, scope: scopes.join(' ') });
  return body['access_token'] as string;
}

export const program = async (gatehouse: Running, scopes?: AdminScope[]): Promise<Api> =>
  adminApi(gatehouse, await programToken(gatehouse, scopes));

/** A person who signs in to an app of admins, and the token it gets for them. */
export async function personToken(
  gatehouse: Running,
  roles: string[],
  scopes: AdminScope[] = ADMIN_SCOPE_NAMES,
): Promise<{ sub: string; token: string }> {
  const resource = resourceOf(gatehouse);
  const app = await gatehouse.app({ name: 'Admin tool', first_party: true, scope: `openid ${scopes.join(' ')}` });
  const person = await gatehouse.person({ roles });
  const rp = await relyingParty(gatehouse, app);
  const tokens = await rp.signIn(person, { scope: `openid ${scopes.join(' ')}`, resource });
  return { sub: person.sub, token: tokens.access_token };
}

const SOMETHING: Record<string, string> = { sub: 'usr_nobody', client_id: 'app_nothing' };

/** The address of a route, about something that is not there. */
export const addressOf = ({ path }: Route): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => SOMETHING[name] ?? 'nothing');
