/** A running Gatehouse for tests: the real program on a loopback port of its own, with a store of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assemble } from '../../src/assemble.ts';
import type { Gatehouse } from '../../src/assemble.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { NewAccount } from '../../src/accounts/new-account.ts';
import type { NewClient } from '../../src/clients/clients.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/log.ts';
import { createServer as createGatehouseServer } from '../../src/serve.ts';
import { temporaryFile } from '../storage/support/temporary-file.ts';
import { testDatabase } from '../storage/support/test-database.ts';
import { freePort } from './ports.ts';

export const PASSWORD = 'tr0ubadour and staple';

const FLOW_HASH_KIB = 64;

export interface Running extends Gatehouse {
  issuer: string;
  /** Lines logged so far. */
  logged: Record<string, unknown>[];
  stop(): Promise<void>;
  person(input?: Partial<NewAccount>): Promise<{ sub: string; email: string; password: string }>;
  app(
    input?: Partial<NewClient>,
  ): Promise<{ client_id: string; client_secret: string | undefined; redirect_uri: string; resource: string | null }>;
}

/** The store the flows run on: MongoDB with `FLOWS_ON=mongodb`, SQLite in memory otherwise. */
function emptyStore(): { url: string; drop: () => Promise<void> } {
  return process.env['FLOWS_ON'] === 'mongodb'
    ? testDatabase()
    : { url: 'sqlite::memory:', drop: async () => undefined };
}

/** A store that several instances share. */
export function sharedStore(): { url: string; drop: () => Promise<void> } {
  if (process.env['FLOWS_ON'] === 'mongodb') return testDatabase();
  const { file, remove } = temporaryFile();
  return { url: `sqlite:${file}`, drop: async () => remove() };
}

/** @param env overrides, by the names of the environment variables. `issuerPath` is appended to the issuer; `fixedPort` is a free one unless given. */
export async function startGatehouse(
  env: Record<string, string> = {},
  issuerPath = '',
  fixedPort?: number,
): Promise<Running> {
  const port = fixedPort ?? (await freePort());
  const issuer = env['GATEHOUSE_ISSUER'] ?? `http://localhost:${port}${issuerPath}`;
  const store = emptyStore();
  const dataDir = await mkdtemp(path.join(tmpdir(), 'gatehouse-test-'));
  const loaded = loadConfig({
    NODE_ENV: 'test',
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_PORT: String(port),
    GATEHOUSE_DATA_DIR: dataDir,
    GATEHOUSE_STORAGE_URL: store.url,
    ...env,
  });
  // Cheaper than any configuration may have it: flows are about flows, and there are thousands of hashes.
  const config =
    'GATEHOUSE_PASSWORDS_MEMORY_KIB' in env
      ? loaded
      : { ...loaded, passwords: { ...loaded.passwords, memory_kib: FLOW_HASH_KIB } };
  const logged: Record<string, unknown>[] = [];
  const log = createLogger('debug', {
    write(line: string) {
      logged.push(JSON.parse(line) as Record<string, unknown>);
      if (process.env['SHOW_LOG']) process.stderr.write(line);
    },
  });
  const gatehouse = await assemble(config, log);
  gatehouse.storage.serving();
  const server = createGatehouseServer(config, gatehouse.handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    ...gatehouse,
    issuer,
    logged,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await gatehouse.close();
      await store.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
    async person(input = {}) {
      const email = input.email ?? `${newId('p').toLowerCase()}@example.com`;
      const password = input.password ?? PASSWORD;
      const account = await gatehouse.accounts.create({
        name: 'Ada Lovelace',
        email_verified: true,
        ...input,
        email,
        password,
      });
      return { sub: account.id, email, password };
    },
    async app(input = {}) {
      const redirect_uri = input.redirect_uris?.[0] ?? 'https://app.example/callback';
      const redirects = input.type === 'service' || input.type === 'api' ? [] : [redirect_uri];
      const { client, client_secret } = await gatehouse.clients.register({
        type: 'web',
        name: 'Acme Notes',
        redirect_uris: redirects,
        ...input,
      });
      return { client_id: client.id, client_secret, redirect_uri, resource: client.resource };
    },
  };
}
