/** Gatehouse as it ships: `src/main.js` in production mode on a SQLite file, its clients and people registered beforehand. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { assembleBackstage } from '../src/assemble-backstage.ts';
import { loadConfig } from '../src/config/load.ts';
import { freePort, startChild } from './children.ts';
import type { Child } from './children.ts';
import { API_SCOPE, REDIRECT_URI } from './fixture.ts';
import type { App, Fixture, Person } from './fixture.ts';

/** Those of `npm start`. */
const FLAGS = ['--max-semi-space-size=16', '--v8-pool-size=1'];
const MAIN = path.resolve(import.meta.dirname, '../src/main.js');

export type Env = Record<string, string>;

/** An environment with a data folder of its own. */
export async function gatehouseEnv(dataDir: string): Promise<Env> {
  const port = await freePort();
  return {
    NODE_ENV: 'production',
    GATEHOUSE_ISSUER: `http://127.0.0.1:${port}`,
    GATEHOUSE_HOST: '127.0.0.1',
    GATEHOUSE_PORT: String(port),
    GATEHOUSE_DATA_DIR: dataDir,
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(32).toString('base64url'),
  };
}

/** Registers what the measurements use, through the use cases that the command line uses. */
export async function prepareGatehouse(env: Env, people: number): Promise<Fixture> {
  const { accounts, clients, close } = await assembleBackstage(loadConfig(env));
  const register = async (input: Parameters<typeof clients.register>[0]) => {
    const { client, client_secret = '' } = await clients.register(input);
    return { client_id: client.id, client_secret, resource: client.resource } satisfies App & { resource: unknown };
  };
  const api = await register({ type: 'api', name: 'Measured API', scope: API_SCOPE });
  const service = await register({ type: 'service', name: 'Measured service', scope: API_SCOPE });
  const web = await register({ type: 'web', name: 'Measured app', redirect_uris: [REDIRECT_URI] });
  const persons: Person[] = [];
  for (let i = 0; i < people; i += 1) {
    const person = { name: `Person ${i}`, email: `person-${i}@example.com`, password: `tr0ubadour and ${i} staples` };
    const { id: sub } = await accounts.create({ ...person, email_verified: true });
    persons.push({ sub, ...person });
  }
  await close();
  return { service, web: { ...web, redirect_uri: REDIRECT_URI }, resource: api.resource!, people: persons };
}

export const startGatehouse = (env: Env): Promise<Child> => startChild([...FLAGS, MAIN], env, /is ready at/);
