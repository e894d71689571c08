/**
 * `node bench/rotation.ts`: two processes on one store, under load, while keys are rotated every 15 seconds with 12 seconds of lead
 * for two minutes, and apps that keep the key set for 10 seconds verify every signature. Ends with status 1 where a request failed or
 * a signature did not verify. `--seconds=30` makes it shorter, `--store=mongodb://…` uses that database (an empty one), with
 * `--apps-keep=40` apps keep the key set for longer than they may, and fail.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { freePort, removeAtExit } from './children.ts';
import { basic, connect, FORM, sendOk } from './connection.ts';
import type { Connection } from './connection.ts';
import { API_SCOPE } from './fixture.ts';
import type { App } from './fixture.ts';
import { gatehouseEnv, prepareGatehouse, startGatehouse } from './gatehouse.ts';
import type { Env } from './gatehouse.ts';
import { quantile } from './load.ts';
import { login } from './login.ts';

const CACHE_SECONDS = 10;
const PEOPLE = 4;

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const seconds = Number(option('seconds') ?? 120);
const kept = Number(option('apps-keep') ?? CACHE_SECONDS);

const KEYS = {
  GATEHOUSE_KEYS_ROTATION: '15',
  GATEHOUSE_KEYS_LEAD: '12',
  GATEHOUSE_KEYS_CACHE: String(CACHE_SECONDS),
  GATEHOUSE_KEYS_RETIREMENT: '20',
  GATEHOUSE_LIFETIMES_ACCESS_TOKEN: '10',
  GATEHOUSE_LIFETIMES_ID_TOKEN: '10',
};

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-rotation-'));
removeAtExit(folder);
const first: Env = {
  ...(await gatehouseEnv(folder)),
  ...KEYS,
  GATEHOUSE_STORAGE_URL: option('store') ?? `sqlite:${path.join(folder, 'gatehouse.db')}`,
};
const second: Env = {
  ...first,
  GATEHOUSE_PORT: String(await freePort()),
  GATEHOUSE_DATA_DIR: path.join(folder, 'second'),
};
const fixture = await prepareGatehouse(first, PEOPLE);
const servers = [await startGatehouse(first), await startGatehouse(second)];
const issuer = first['GATEHOUSE_ISSUER']!;
const origins = [issuer, `http://127.0.0.1:${second['GATEHOUSE_PORT']}`];

const counts = { requests: 0, verified: 0 };
const failures: string[] = [];
const latencies: number[] = [];
const signers = new Map<string, Set<string>>();
const end = performance.now() + seconds * 1000;

/** An app: it keeps the key set of one server for as long as it may, and looks at no newer one before. */
const app = (origin: string) =>
  createRemoteJWKSet(new URL(`${origin}/jwks`), { cacheMaxAge: kept * 1000, cooldownDuration: 3_600_000 });

async function verify(token: string, keys: ReturnType<typeof app>): Promise<void> {
  await jwtVerify(token, keys, { issuer, clockTolerance: 2 });
  counts.verified += 1;
  const { alg = '', kid = '' } = decodeProtectedHeader(token);
  signers.set(alg, (signers.get(alg) ?? new Set()).add(kid));
}

const post = (connection: Connection, client: App, fields: Record<string, string>) =>
  sendOk(connection, {
    method: 'POST',
    path: '/token',
    headers: { ...FORM, authorization: basic(client) },
    body: new URLSearchParams(fields).toString(),
  });

async function until(work: () => Promise<string>, keys: ReturnType<typeof app>): Promise<void> {
  while (performance.now() < end) {
    try {
      const sent = performance.now();
      const token = await work();
      latencies.push(performance.now() - sent);
      counts.requests += 1;
      await verify(token, keys);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
}

const workers = origins.flatMap((signing) =>
  origins.map(async (publishing, index) => {
    const keys = app(publishing);
    const connections = [connect(signing), connect(signing)] as const;
    const person = fixture.people[origins.indexOf(signing) * origins.length + index]!;
    // Pages are for the issuer's own address.
    const browser = connect(issuer);
    let { refresh_token } = await login(browser, { name: 'gatehouse', origin: issuer, pid: 0, fixture }, person);
    await browser.close();
    const access = async () => {
      const fields = { grant_type: 'client_credentials', resource: fixture.resource, scope: API_SCOPE };
      return (JSON.parse(await post(connections[1], fixture.service, fields)) as { access_token: string }).access_token;
    };
    const refresh = async () => {
      const fields = { grant_type: 'refresh_token', refresh_token };
      const answer = JSON.parse(await post(connections[0], fixture.web, fields)) as Record<string, string>;
      refresh_token = answer['refresh_token']!;
      return answer['id_token']!;
    };
    await Promise.all([until(access, keys), until(refresh, keys)]);
    await Promise.all(connections.map((connection) => connection.close()));
  }),
);
await Promise.all(workers);
await Promise.all(servers.map((server) => server.stop()));

const rotated = Object.fromEntries([...signers].map(([alg, ids]) => [alg, ids.size]));
process.stdout.write(
  `${JSON.stringify(
    {
      seconds,
      ...counts,
      failures: failures.length,
      keys_that_signed: rotated,
      latency_ms: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), max: quantile(latencies, 1) },
    },
    undefined,
    2,
  )}\n`,
);
for (const failure of new Set(failures)) process.stderr.write(`${failure}\n`);
process.exit(failures.length === 0 ? 0 : 1);
