/** The key set as apps see it, several instances on one store, and an app that verifies while keys rotate. */
import { randomBytes } from 'node:crypto';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import { as } from './endpoints.ts';
import { sharedStore, startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';
import type { App } from './journey.ts';
import { freePort } from './ports.ts';

/** Keys that rotate in seconds: published for 3 before they sign, in caches for 1. */
export const FAST_KEYS = {
  GATEHOUSE_KEYS_ROTATION: '4',
  GATEHOUSE_KEYS_LEAD: '3',
  GATEHOUSE_KEYS_CACHE: '1',
  GATEHOUSE_KEYS_RETIREMENT: '5',
  GATEHOUSE_LIFETIMES_ACCESS_TOKEN: '3',
  GATEHOUSE_LIFETIMES_ID_TOKEN: '3',
};

export async function keySet(issuer: string): Promise<JWK[]> {
  const response = await fetch(`${issuer}/jwks`);
  return ((await response.json()) as { keys: JWK[] }).keys;
}

export const keyIds = async (issuer: string): Promise<string[]> => (await keySet(issuer)).map(({ kid }) => kid!);

export interface Instance extends Running {
  /** Where this one listens, whatever the issuer is. */
  origin: string;
}

/** Two instances of one issuer on one store. */
export async function startTwo(env: Record<string, string> = {}): Promise<{
  instances: [Instance, Instance];
  stop(): Promise<void>;
}> {
  const store = sharedStore();
  const ports = [await freePort(), await freePort()] as const;
  const common = {
    GATEHOUSE_ISSUER: `http://localhost:${ports[0]}`,
    GATEHOUSE_STORAGE_URL: store.url,
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(32).toString('base64'),
    ...env,
  };
  const start = async (port: number): Promise<Instance> => ({
    ...(await startGatehouse(common, '', port)),
    origin: `http://localhost:${port}`,
  });
  const instances: [Instance, Instance] = [await start(ports[0]), await start(ports[1])];
  return {
    instances,
    async stop() {
      for (const instance of instances) await instance.stop();
      await store.drop();
    },
  };
}

export interface Verified {
  requests: number;
  /** Ids of the keys that signed. */
  keys: Set<string>;
  /** What went wrong: requests that were refused, signatures that did not verify. */
  failures: string[];
}

/**
 * Sends requests to all instances until told to stop, and verifies what they sign as an app does that keeps the key set for as
 * long as it may, and does not look again before.
 * @param next sends one request to an instance. @returns the tokens to verify.
 */
export async function verifyMeanwhile(
  instances: Instance[],
  cacheSeconds: number,
  next: (origin: string) => Promise<string[]>,
  until: Promise<unknown>,
): Promise<Verified> {
  const found: Verified = { requests: 0, keys: new Set(), failures: [] };
  let stopped = false;
  void until.finally(() => {
    stopped = true;
  });
  async function work(signing: Instance, publishing: Instance): Promise<void> {
    const keys = createRemoteJWKSet(new URL(`${publishing.origin}/jwks`), {
      cacheMaxAge: cacheSeconds * 1000,
      cooldownDuration: 3_600_000,
    });
    while (!stopped) {
      try {
        const tokens = await next(signing.origin);
        found.requests += 1;
        for (const token of tokens) {
          await jwtVerify(token, keys, { issuer: signing.issuer, clockTolerance: 2 });
          found.keys.add(decodeProtectedHeader(token).kid!);
        }
      } catch (error) {
        found.failures.push((error as Error).message);
      }
    }
  }
  await Promise.all(instances.flatMap((signing) => instances.map((publishing) => work(signing, publishing))));
  return found;
}

/** A request for an access token, signed as a JWT. @throws Error where it is refused. */
export const asksForAccess = (gatehouse: Running, service: App, resource: string) => async (origin: string) => {
  const { status, body } = await as({ ...gatehouse, issuer: origin }, service).clientCredentials({ resource });
  if (status !== 200) throw new Error(`refused with ${status}: ${JSON.stringify(body)}`);
  return [String(body['access_token'])];
};

/** A refresh, which gives an ID token. @throws Error where it is refused. */
export function refreshes(gatehouse: Running, app: App, first: string) {
  let newest = first;
  return async (origin: string) => {
    const { status, body } = await as({ ...gatehouse, issuer: origin }, app).refresh(newest);
    if (status !== 200) throw new Error(`refused with ${status}: ${JSON.stringify(body)}`);
    newest = String(body['refresh_token']);
    return [String(body['id_token'])];
  };
}
