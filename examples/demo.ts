/** `npm run demo`: the provider and the example apps side by side, with everything registered that they need. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { assembleBackstage } from '../src/assemble-backstage.ts';
import type { Clients, NewClient } from '../src/clients/clients.ts';
import { loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/schema.ts';
import { DEMO } from '../src/demo.ts';

const APP = { id: 'demo-app', port: 3001, origin: 'http://localhost:3001' };
const API = { id: 'demo-api', port: 3002, origin: 'http://localhost:3002' };
const SPA = { id: 'demo-spa', port: 3004, origin: 'http://localhost:3004' };
const READY_WITHIN_MS = 30_000;
const ROOT = path.resolve(import.meta.dirname, '..');

const isFree = (port: number, host: string) =>
  new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });

/** @throws Error naming every port that is taken, and what to do. */
async function checkPorts({ port, host }: Config): Promise<void> {
  const wanted = [
    { name: 'Gatehouse', port, host },
    { name: 'the example app', port: APP.port, host: 'localhost' },
    { name: 'the example API', port: API.port, host: 'localhost' },
    { name: 'the example browser app', port: SPA.port, host: 'localhost' },
  ];
  const taken: string[] = [];
  for (const { name, port, host } of wanted)
    if (!(await isFree(port, host))) taken.push(`port ${port}, for ${name}, is in use`);
  if (taken.length > 0)
    throw new Error(`${taken.join('; ')}. Stop what listens there; Gatehouse can move with GATEHOUSE_PORT.`);
}

async function ensure(clients: Clients, id: string, input: NewClient): Promise<void> {
  if (!(await clients.find(id))) await clients.register(input, id);
}

/** What `gatehouse client create` would do, under fixed ids, so that the second run finds the first one's. */
async function register(config: Config): Promise<{ appSecret: string | undefined; spaSecret: string | undefined }> {
  const backstage = await assembleBackstage(config);
  try {
    const { clients } = backstage;
    await ensure(clients, API.id, {
      type: 'api',
      name: 'Notes API',
      resource: API.origin,
      scope: 'notes:read notes:write',
    });
    await ensure(clients, APP.id, {
      type: 'web',
      name: 'Notes',
      redirect_uris: [`${APP.origin}/callback`],
      post_logout_redirect_uris: [`${APP.origin}/`],
      backchannel_logout_uri: `${APP.origin}/backchannel-logout`,
      backchannel_logout_session_required: true,
      client_uri: APP.origin,
    });
    await ensure(clients, SPA.id, {
      type: 'web',
      name: 'Notes in the browser',
      redirect_uris: [`${SPA.origin}/bff/callback`],
      post_logout_redirect_uris: [`${SPA.origin}/`],
      client_uri: SPA.origin,
    });
    // A secret is shown once, so each run makes a new one instead of keeping it in a file.
    const [app, spa] = [await clients.rotateSecret(APP.id), await clients.rotateSecret(SPA.id)];
    return { appSecret: app.client_secret, spaSecret: spa.client_secret };
  } finally {
    await backstage.close();
  }
}

const children: ChildProcess[] = [];
let stopping = false;

/** Asks every program to end; the provider finishes what is under way. */
function stop(code: number): void {
  if (stopping) return;
  stopping = true;
  process.exitCode = code;
  for (const child of children) child.kill('SIGTERM');
}

/** Starts a program of this repository; if it ends by itself, so does the demo. */
function run(name: string, file: string, env: Record<string, string | undefined> = {}): void {
  const child = spawn(process.execPath, [path.join(ROOT, file)], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: Ctrl-C then reaches the provider once, from us, and not twice, which would cut its drain short.
    detached: true,
  });
  child.stdout?.on('data', (text: Buffer) => process.stdout.write(`[${name}] ${text.toString()}`));
  child.once('exit', (code) => {
    if (!stopping) process.stderr.write(`[${name}] ended by itself\n`);
    stop(code ?? 1);
  });
  children.push(child);
}

/** Waits until something answers at `url`. @throws Error when nothing does in time. */
async function ready(name: string, url: string): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (!stopping && Date.now() < until) {
    try {
      await fetch(url, { redirect: 'manual' });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`${name} did not answer at ${url} in time`);
}

async function demo(): Promise<void> {
  const config = loadConfig();
  const { issuer } = config;
  if (config.production)
    throw new Error('It registers example apps, which production should not have: unset NODE_ENV.');
  await checkPorts(config);
  const { appSecret, spaSecret } = await register(config);

  run('gatehouse', 'src/main.js');
  await ready('Gatehouse', `${issuer}/.well-known/openid-configuration`);
  const common = { ISSUER: issuer, API_RESOURCE: API.origin };
  run('api', 'examples/api/api.ts', { ...common, PORT: String(API.port) });
  run('app', 'examples/session-app/app.ts', {
    ...common,
    CLIENT_ID: APP.id,
    CLIENT_SECRET: appSecret,
    PORT: String(APP.port),
  });
  run('spa', 'examples/spa/server.ts', {
    ...common,
    CLIENT_ID: SPA.id,
    CLIENT_SECRET: spaSecret,
    PORT: String(SPA.port),
  });
  await Promise.all([ready('The API', API.origin), ready('The app', APP.origin), ready('The browser app', SPA.origin)]);

  const signIn = config.demo.enabled ? `sign in as ${DEMO.email} / ${DEMO.password}` : 'sign in or create an account';
  process.stdout.write(
    [
      '',
      'All are ready. Click here:',
      `  ${APP.origin}   the example app: ${signIn}`,
      `  ${SPA.origin}   the example browser app, whose page holds no token`,
      ...(config.playground.enabled ? [`  ${issuer}/playground   a login, step by step`] : []),
      `  ${issuer}   Gatehouse itself`,
      `The API is at ${API.origin}; both call it. Ctrl-C ends everything.`,
      '',
    ].join('\n'),
  );
}

process.umask(0o077);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0));
await demo().catch((error: Error) => {
  if (!stopping) process.stderr.write(`The demo cannot run. ${error.message}\n`);
  stop(1);
});
