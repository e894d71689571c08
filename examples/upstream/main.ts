/**
 * `npm run demo:upstream`: two Gatehouses, one of which lets people sign in with their account at the other, and a playground to
 * try it from. The company's is at 127.0.0.1 and ours at localhost, so that a browser keeps their cookies apart.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assemble } from '../../src/assemble.ts';
import type { Gatehouse } from '../../src/assemble.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';

export const PERSON = { name: 'Grace Hopper', email: 'grace@company.example', password: 'a nanosecond of wire' };

export interface Ports {
  ours: number;
  company: number;
}

interface Started {
  gatehouse: Gatehouse;
  server: Server;
}

/** Starts one Gatehouse with a store in memory and a configuration file of its own. */
async function start(folder: string, name: string, host: string, port: number, yaml: string): Promise<Started> {
  const file = path.join(folder, `${name}.yaml`);
  writeFileSync(file, yaml, { mode: 0o600 });
  const config = loadConfig({
    NODE_ENV: 'development',
    GATEHOUSE_CONFIG: file,
    GATEHOUSE_ISSUER: `http://${host}:${port}`,
    GATEHOUSE_PORT: String(port),
    GATEHOUSE_DATA_DIR: path.join(folder, name),
    GATEHOUSE_STORAGE_URL: 'sqlite::memory:',
    GATEHOUSE_BRAND_NAME: name,
  });
  const gatehouse = await assemble(config, createLogger('warn'));
  const server = createServer(gatehouse.handle);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return { gatehouse, server };
}

async function end({ gatehouse, server }: Started): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await gatehouse.close();
}

/** @returns the two addresses, and how to end both. */
export async function startPair({ ours, company }: Ports) {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-upstream-'));
  const issuer = `http://localhost:${ours}`;

  // The company knows our Gatehouse as one of its apps, and has a person.
  const upstream = await start(folder, 'Company', '127.0.0.1', company, '');
  const { client, client_secret } = await upstream.gatehouse.clients.register({
    type: 'web',
    name: 'Gatehouse',
    redirect_uris: [`${issuer}/federation/company/callback`],
    client_uri: issuer,
  });
  await upstream.gatehouse.accounts.create({ ...PERSON, email_verified: true });

  // We know the company as an upstream: this is all the configuration that it takes.
  const gatehouse = await start(
    folder,
    'Gatehouse',
    'localhost',
    ours,
    `
playground: { enabled: true }
federation:
  company:
    type: oidc
    display_name: The Company
    issuer: http://127.0.0.1:${company}
    client_id: ${client.id}
    client_secret: ${client_secret}
`,
  );
  return {
    issuer,
    company: `http://127.0.0.1:${company}`,
    async stop() {
      await Promise.all([end(gatehouse), end(upstream)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

if (import.meta.main) {
  const pair = await startPair({ ours: Number(process.env['PORT'] ?? 3000), company: 3100 });
  process.stdout.write(
    [
      'Both are ready. Click here and choose "Continue with The Company":',
      `  ${pair.issuer}/playground   sign in there as ${PERSON.email} / ${PERSON.password}`,
      `The company is at ${pair.company}. Ctrl-C ends both.`,
      '',
    ].join('\n'),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void pair.stop());
}
