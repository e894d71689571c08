/** Several running Gatehouses on one store, as behind a load balancer that sends each request where it likes. */
import { randomBytes } from 'node:crypto';
import { sharedStore, startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';
import { freePort } from './ports.ts';

export interface Instances {
  /** Each with the address it is reached at in place of the issuer, which is the first one's. */
  all: [Running, Running, ...Running[]];
  stop(): Promise<void>;
}

export async function startInstances(env: Record<string, string> = {}, count = 2): Promise<Instances> {
  const store = sharedStore();
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const shared = {
    GATEHOUSE_ISSUER: `http://localhost:${ports[0]!}`,
    GATEHOUSE_STORAGE_URL: store.url,
    GATEHOUSE_SECRETS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    GATEHOUSE_SECRETS_COOKIE_KEYS: randomBytes(24).toString('base64'),
    ...env,
  };
  const all: Running[] = [];
  for (const port of ports) {
    const running = await startGatehouse(shared, '', port);
    all.push({ ...running, issuer: `http://localhost:${port}` });
  }
  return {
    all: all as Instances['all'],
    async stop() {
      for (const instance of all) await instance.stop();
      await store.drop();
    },
  };
}
