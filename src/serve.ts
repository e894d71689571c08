/** The server process: configuration, assembly, listening, and an end by draining on SIGINT or SIGTERM. */
import { createServer as createHttpServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { AddressInfo } from 'node:net';
import { assemble } from './assemble.ts';
import type { RequestHandler } from './app.ts';
import type { Gatehouse } from './assemble.ts';
import { ConfigError } from './config/error.ts';
import { loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { isGatehouseError } from './kernel/errors.ts';
import { createLogger } from './log.ts';
import { letPoolsYield } from './pool-priority.ts';
import { letHeapGrow, tidyAfterStart } from './tidy.ts';
import { version } from './version.ts';

const DRAIN_MS = 10_000;
const REPEATED_SIGNAL_MS = 500;
const PARENT_CHECK_MS = 500;

function readyLine(config: Config, { storage, demo }: Gatehouse, port: number): string {
  const signIn = demo ? ` — sign in as ${demo.email} / ${demo.password}` : '';
  const listening = new URL(config.issuer).port === String(port) ? '' : ` (listening on ${config.host}:${port})`;
  return `Gatehouse ${version} is ready at ${config.issuer}${listening} — ${storage.description}${signIn}`;
}

/** RFC 9325, section 4.2: with TLS 1.2 these alone; all of TLS 1.3. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':');

/** Serves https where there is a certificate. What a client's own certificate is worth is decided where it is used. */
export function createServer({ tls, mtls }: Pick<Config, 'tls' | 'mtls'>, handle: RequestHandler): Server {
  const { certificate_file: certificate, key_file: key } = tls;
  if (certificate === undefined || key === undefined) return createHttpServer(handle);
  const requestCert = mtls.enabled && mtls.certificate_header === undefined;
  const files = { cert: readFileSync(certificate), key: readFileSync(key) };
  const settings = { minVersion: 'TLSv1.2', ciphers: CIPHERS, requestCert, rejectUnauthorized: false } as const;
  return createHttpsServer({ ...files, ...settings }, handle);
}

const listen = (server: Server, { port, host }: Config) =>
  new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

/** Stops accepting, lets what is under way finish, then closes the store. */
async function stop(server: Server, gatehouse: Gatehouse): Promise<void> {
  gatehouse.drain();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(impatience);
  await gatehouse.close();
}

async function start(): Promise<void> {
  process.umask(0o077);
  const config = loadConfig();
  const log = createLogger(config.log.level);
  const gatehouse = await assemble(config, log);
  tidyAfterStart();
  await letPoolsYield();
  const server = createServer(config, gatehouse.handle);
  const port = await listen(server, config).catch(async (error: NodeJS.ErrnoException) => {
    await gatehouse.close();
    throw error.code === 'EADDRINUSE'
      ? new Error(`port ${config.port} is in use: stop what listens there or set GATEHOUSE_PORT`)
      : error;
  });

  onEnd(() => stop(server, gatehouse));
  process.stdout.write(`${readyLine(config, gatehouse, port)}\n`);
  await greetFirstAdmin(gatehouse);
  gatehouse.storage.serving();
  flushCompileCache();
  letHeapGrow();
}

/** Whoever reads what the program prints runs it. The log, which others read too, is told nothing. */
async function greetFirstAdmin({ admins }: Gatehouse): Promise<void> {
  if (await admins.exist()) return;
  const { url } = await admins.issueLink({ onlyFirst: true });
  process.stdout.write(`Nobody is an admin yet. This link makes you one, once, within a day: ${url}\n`);
}

/** Calls `end` once, when this process is told to end, and exits after it. */
function onEnd(end: () => Promise<void>): void {
  let since: number | undefined;
  const once = () => {
    if (since !== undefined) {
      // Ctrl-C under npm arrives twice at once; a second one later means it.
      if (performance.now() - since > REPEATED_SIGNAL_MS) process.exit(1);
      return;
    }
    since = performance.now();
    void end().then(() => process.exit(0));
  };
  process.on('SIGINT', once).on('SIGTERM', once);
  if (process.env['npm_lifecycle_event'] === undefined) return;
  // npm starts us through a shell that does not pass SIGTERM on: when it is gone, somebody ended it.
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    once();
  }, PARENT_CHECK_MS).unref();
}

/** Starts the server; a configuration or store that does not work ends the process with status 1 and the reason. */
export async function serve(): Promise<void> {
  try {
    await start();
  } catch (error) {
    const known = error instanceof ConfigError || isGatehouseError(error);
    const cause = isGatehouseError(error) && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    process.stderr.write(
      `Gatehouse cannot start. ${known || error instanceof Error ? error.message : String(error)}${cause}\n`,
    );
    process.exit(1);
  }
}
