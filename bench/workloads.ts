/** What is measured side by side: each workload makes its workers for a server, one connection each. */
import { basic, connect, FORM, sendOk } from './connection.ts';
import type { Connection, Request } from './connection.ts';
import { API_SCOPE } from './fixture.ts';
import type { Target } from './fixture.ts';
import type { Worker } from './load.ts';
import { login } from './login.ts';
import type { Tokens } from './login.ts';

export interface Workload {
  name: string;
  connections: number;
  workers(target: Target, connections: Connection[]): Promise<Worker[]>;
}

const CONNECTIONS = 8;
const person = ({ fixture }: Target, index: number) => fixture.people[index % fixture.people.length]!;

/** The same request again and again. */
function repeated(name: string, request: (target: Target, tokens: Tokens) => Request, signedIn: boolean): Workload {
  return {
    name,
    connections: CONNECTIONS,
    async workers(target, connections) {
      const tokens = signedIn ? await login(connections[0]!, target, person(target, 0)) : ({} as Tokens);
      const fixed = request(target, tokens);
      return connections.map((connection) => () => sendOk(connection, fixed));
    },
  };
}

const post = (path: string, app: Parameters<typeof basic>[0], fields: Record<string, string>): Request => ({
  method: 'POST',
  path,
  headers: { ...FORM, authorization: basic(app) },
  body: new URLSearchParams(fields).toString(),
});

export const clientCredentials = repeated(
  'client credentials, opaque',
  ({ fixture }) => post('/token', fixture.service, { grant_type: 'client_credentials' }),
  false,
);

const clientCredentialsJwt = repeated(
  'client credentials, JWT',
  ({ fixture: { service, resource } }) =>
    post('/token', service, { grant_type: 'client_credentials', resource, scope: API_SCOPE }),
  false,
);

/** A chain per connection: each worker keeps the newest refresh token. */
const refresh: Workload = {
  name: 'refresh with rotation',
  connections: CONNECTIONS,
  workers: (target, connections) =>
    Promise.all(
      connections.map(async (connection, index) => {
        let { refresh_token } = await login(connection, target, person(target, index));
        return async () => {
          const request = post('/token', target.fixture.web, { grant_type: 'refresh_token', refresh_token });
          const answer = JSON.parse(await sendOk(connection, request)) as Tokens;
          if (answer.refresh_token === refresh_token) throw new Error('the refresh token was not rotated');
          refresh_token = answer.refresh_token;
        };
      }),
    ),
};

const introspection = repeated(
  'introspection',
  ({ fixture }, { access_token }) => post('/token/introspection', fixture.web, { token: access_token }),
  true,
);

const userinfo = repeated(
  'userinfo',
  (_target, { access_token }) => ({
    method: 'GET',
    path: '/userinfo',
    headers: { authorization: `Bearer ${access_token}` },
  }),
  true,
);

const discovery = repeated('discovery', () => ({ method: 'GET', path: '/.well-known/openid-configuration' }), false);
const jwks = repeated('JWKS', () => ({ method: 'GET', path: '/jwks' }), false);

/** Two at once: while one's password is hashed, the other is served. */
export const passwordLogin: Workload = {
  name: 'full password login',
  connections: 2,
  workers: async (target, connections) =>
    connections.map((connection, index) => () => login(connection, target, person(target, index))),
};

export const WORKLOADS = [
  clientCredentials,
  clientCredentialsJwt,
  refresh,
  introspection,
  userinfo,
  discovery,
  jwks,
  passwordLogin,
];

/** Opens the connections, lets `use` work with the workers, closes them. */
export async function withWorkers<T>(
  { connections: count, workers }: Workload,
  target: Target,
  use: (workers: Worker[]) => Promise<T>,
): Promise<T> {
  const connections = Array.from({ length: count }, () => connect(target.origin));
  try {
    return await use(await workers(target, connections));
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}
