/**
 * Pages of the console and lists of the admin API on a store that `seed.ts` filled, and the token endpoint while somebody uses them.
 * `node bench/console.ts [--quick]`, with the environment of that store. Targets: 50 ms at p95 for each page and list, and the token
 * endpoint's p99 under twice its quiet figure.
 */
import { assembleBackstage } from '../src/assemble-backstage.ts';
import { loadConfig } from '../src/config/load.ts';
import { ADMIN_SCOPE_NAMES } from '../src/administration/scopes.ts';
import { Browser } from '../test/support/browser.ts';
import { openConsole } from '../test/support/console.ts';
import { basic, connect, FORM, sendOk } from './connection.ts';
import { startGatehouse } from './gatehouse.ts';
import type { Env } from './gatehouse.ts';
import { pacedLoad, quantile } from './load.ts';
import { cpuSeconds } from './procfs.ts';

const quick = process.argv.includes('--quick');
const [TIMES, SECONDS] = quick ? [15, 5] : [60, 20];
const TARGET_MS = 50;
const RATE = 100;
/** Between two pages or lists of those who use the console meanwhile. */
const BESIDE_MS = 200;
const config = loadConfig();
const given = Object.entries(process.env).filter(([name]) => /^(GATEHOUSE_|NODE_ENV)/.test(name));
/** One address asks for more than the limits let it. */
const env = { ...Object.fromEntries(given), GATEHOUSE_LIMITS_ENABLED: 'false' } as Env;

interface Place {
  name: string;
  /** Addresses, asked for in turn. */
  paths: string[];
}

async function prepare() {
  const { accounts, clients, people, audit, close } = await assembleBackstage(config);
  const email = `admin${Date.now()}@example.com`;
  const password = 'a pass phrase for measuring';
  const { id: sub } = await accounts.create({
    name: 'Measuring Admin',
    email,
    password,
    email_verified: true,
    roles: ['admin'],
  });
  const scope = ADMIN_SCOPE_NAMES.join(' ');
  const registered = await clients.register({ type: 'service', name: 'Measuring', scope });
  const some = (await people.search({ text: 'katherine', limit: 25 })).items;
  const events = (await audit.search({ type: 'request_refused', limit: 25 })).items;
  const busy = (await audit.search({ type: 'sign_in', limit: 100 })).items.map(({ target }) => target.id!);
  const apps = (await clients.search({ text: 'app', limit: 25 })).items.map(({ id }) => id);
  await close();
  const service = { client_id: registered.client.id, client_secret: registered.client_secret! };
  return { admin: { sub, email, password }, service, scope, some, events, busy, apps };
}

const found = await prepare();
const server = await startGatehouse(env);
const origin = config.issuer;
const browser = new Browser(origin);
await openConsole(browser, found.admin);
const connection = connect(origin);
const token = async () => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: `${origin}/admin/api`,
    scope: found.scope,
  });
  const headers = { ...FORM, authorization: basic(found.service) };
  const text = await sendOk(connection, { method: 'POST', path: '/token', headers, body: body.toString() });
  return (JSON.parse(text) as { access_token: string }).access_token;
};
const bearer = await token();

const WORDS = ['ada', 'k', 'hopper1', 'grace.hopper', 'turing99', 'mail7', 'lovelace4321', 'nobody-at-all'];
const ids = found.some.map(({ id }) => id);
const DAY = new Date(Date.now() - 90 * 86_400_000).toISOString().slice(0, 10);
const NEXT = new Date(Date.now() - 89 * 86_400_000).toISOString().slice(0, 10);
const searches = (path: string) => WORDS.map((word) => `${path}?search=${encodeURIComponent(word)}`);
const filters = (path: string, suffix = '') => [
  ...['sign_in', 'suspended', 'request_refused', 'token_refreshed'].map((type) => `${path}?type=${type}`),
  ...found.busy.slice(0, 8).map((id) => `${path}?target=${id}`),
  ...found.apps.slice(0, 8).map((id) => `${path}?target=${id}&type=request_refused`),
  ...found.apps.slice(0, 4).map((id) => `${path}?actor=${id}`),
  `${path}?from=${DAY}${suffix}&to=${NEXT}${suffix}`,
  `${path}?type=wrong_password&from=${DAY}${suffix}&to=${NEXT}${suffix}`,
  `${path}?type=suspended&from=${DAY}${suffix}&to=${NEXT}${suffix}`,
];

const PAGES: Place[] = [
  { name: 'overview', paths: [''] },
  { name: 'people', paths: ['/people'] },
  { name: 'people, searched', paths: searches('/people') },
  {
    name: 'people, by state or role',
    paths: ['/people?state=suspended', '/people?role=editor', '/people?state=active'],
  },
  { name: 'one person', paths: ids.map((id) => `/people/${id}`) },
  { name: 'invitations', paths: ['/people/invitations'] },
  { name: 'sessions', paths: ['/sessions'] },
  { name: 'apps', paths: ['/apps'] },
  { name: 'apps, searched', paths: ['/apps?search=app', '/apps?search=knuth', '/apps?search=nothing'] },
  { name: 'one app', paths: found.apps.map((id) => `/apps/${id}`) },
  { name: 'audit', paths: ['/audit'] },
  { name: 'audit, filtered', paths: filters('/audit') },
  { name: 'audit, by reference', paths: ['/audit?reference=K7QW-2M9X'] },
];
const LISTS: Place[] = [
  { name: 'users', paths: ['/users', '/users?limit=100'] },
  { name: 'users, searched', paths: searches('/users') },
  { name: 'users, by state or role', paths: ['/users?state=suspended', '/users?role=editor', '/users?state=active'] },
  { name: 'one user', paths: ids.map((id) => `/users/${id}`) },
  { name: 'sessions', paths: ['/sessions'] },
  { name: 'clients', paths: ['/clients', '/clients?search=app'] },
  { name: 'audit', paths: ['/audit', '/audit?limit=100'] },
  { name: 'audit, filtered', paths: filters('/audit', 'T00:00:00Z') },
];

const cookie = (path: string) => browser.jar.getCookieStringSync(origin + path);

async function timed(path: string, headers: Record<string, string>): Promise<number> {
  const start = performance.now();
  const { status, text } = await connection.send({ method: 'GET', path, headers });
  const took = performance.now() - start;
  if (status !== 200) throw new Error(`${path} gave ${status}: ${text.slice(0, 200)}`);
  return took;
}

async function measure(
  kind: string,
  places: Place[],
  prefix: string,
  headers: (path: string) => Record<string, string>,
) {
  for (const { name, paths } of places) {
    const times: number[] = [];
    let slowest = ['', 0] as [string, number];
    const cpu = cpuSeconds(server.pid);
    for (let turn = 0; turn < Math.max(TIMES, paths.length); turn += 1) {
      const path = `${prefix}${paths[turn % paths.length]!}`;
      const took = await timed(path, headers(path));
      times.push(took);
      if (took > slowest[1]) slowest = [path, took];
    }
    const p95 = quantile(times, 0.95);
    const each = (1000 * (cpuSeconds(server.pid) - cpu)) / times.length;
    process.stdout.write(
      `${kind.padEnd(5)} ${name.padEnd(26)} p50 ${quantile(times, 0.5).toFixed(1).padStart(7)} ms  p95 ${p95.toFixed(1).padStart(7)} ms ` +
        `${p95 < TARGET_MS ? 'met' : 'MISSED'}  CPU ${each.toFixed(1).padStart(5)} ms  slowest ${slowest[1].toFixed(1)} ms ${slowest[0]}\n`,
    );
  }
}

const forConsole = (path: string) => ({ cookie: cookie(path), accept: 'text/html' });
const forApi = () => ({ authorization: `Bearer ${bearer}`, accept: 'application/json' });
await measure('page', PAGES, '/admin', forConsole);
await measure('list', LISTS, '/admin/api/v1', forApi);

/** The token endpoint at a steady rate, quiet and beside admins who open four or five pages and lists a second. */
async function tokenP99(beside?: () => Promise<void>): Promise<number> {
  const own = connect(origin);
  const headers = { ...FORM, authorization: basic(found.service) };
  const request = { method: 'POST' as const, path: '/token', headers, body: 'grant_type=client_credentials' };
  let going = true;
  const pause = () => new Promise((resolve) => setTimeout(resolve, BESIDE_MS));
  const walk = (async () => {
    while (beside && going) {
      await beside();
      await pause();
    }
  })();
  const latencies = await pacedLoad(
    Array.from({ length: 8 }, () => () => sendOk(own, request)),
    { seconds: SECONDS, perSecond: RATE },
  );
  going = false;
  await walk;
  await own.close();
  return quantile(latencies, 0.99);
}
const all = [
  ...PAGES.flatMap(({ paths }) => paths.map((path) => [`/admin${path}`, forConsole] as const)),
  ...LISTS.flatMap(({ paths }) => paths.map((path) => [`/admin/api/v1${path}`, forApi] as const)),
];
let at = 0;
const quiet = await tokenP99();
const busy = await tokenP99(async () => {
  const [path, headers] = all[(at += 1) % all.length]!;
  await timed(path, headers(path));
});
process.stdout.write(
  `token endpoint p99 ${quiet.toFixed(1)} ms quiet, ${busy.toFixed(1)} ms beside: ${(busy / quiet).toFixed(2)} x ${busy < 2 * quiet ? 'met' : 'MISSED'}\n`,
);
await connection.close();
await server.stop();
