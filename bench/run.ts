/**
 * `npm run bench` measures Gatehouse, as it ships, beside bare `oidc-provider` in one run, and says whether the targets are
 * met. It takes ten minutes; `-- --quick` three, with rougher figures. Loopback only; the load comes from this process.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { removeAtExit, freePort, startChild } from './children.ts';
import { measureCrowd } from './crowd.ts';
import type { Target } from './fixture.ts';
import { gatehouseEnv, prepareGatehouse, startGatehouse } from './gatehouse.ts';
import { memory } from './procfs.ts';
import { render, WITH_TARGET } from './report.ts';
import type { Results } from './report.ts';
import { compare, measure } from './side-by-side.ts';
import type { Slices } from './side-by-side.ts';
import { measureSize } from './size.ts';
import { passwordLogin, WORKLOADS } from './workloads.ts';
import type { Workload } from './workloads.ts';

const quick = process.argv.includes('--quick');
/** Only workloads whose names contain this: for working on one of them. */
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const PLAN = quick
  ? { pairs: 1, rounds: 5, seconds: 0.35, warmUp: 4, logins: 5000, crowd: { rounds: 3, seconds: 2, warmUp: 4 } }
  : { pairs: 3, rounds: 7, seconds: 0.7, warmUp: 10, logins: 100_000, crowd: { rounds: 7, seconds: 4, warmUp: 20 } };
const PEOPLE = 8;

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-bench-'));
removeAtExit(folder);
const say = (text: string) => process.stderr.write(`${text}\n`);

interface Pair {
  gatehouse: Target;
  bare: Target;
  stop(): Promise<void>;
}

async function startBoth(number: number): Promise<Pair> {
  const env = await gatehouseEnv(path.join(folder, `data-${number}`));
  const fixture = await prepareGatehouse(env, PEOPLE);
  const ours = await startGatehouse(env);
  const port = await freePort();
  const file = path.join(folder, `bare-${number}.json`);
  writeFileSync(file, JSON.stringify({ port, fixture }));
  const bare = path.resolve(import.meta.dirname, 'bare.ts');
  const theirs = await startChild([bare, file], { NODE_ENV: 'production' }, /ready/);
  return {
    gatehouse: { name: 'gatehouse', origin: env['GATEHOUSE_ISSUER']!, pid: ours.pid, fixture },
    bare: { name: 'bare', origin: `http://127.0.0.1:${port}`, pid: theirs.pid, fixture },
    stop: async () => void (await Promise.all([ours.stop(), theirs.stop()])),
  };
}

const chosen = WORKLOADS.filter(({ name }) => only === undefined || name.includes(only));
const slices = new Map<Workload, Slices[]>(chosen.map((workload) => [workload, []]));

async function measureOn(servers: Pair, workloads: Workload[]): Promise<void> {
  for (const workload of workloads) {
    say(`measuring ${workload.name}`);
    slices.get(workload)!.push(await measure(workload, servers, PLAN));
  }
}

// What has to reach a share of bare is compared on each pair, the rest on the last.
const onEach = chosen.filter(({ name }) => WITH_TARGET.includes(name));
for (let number = 1; number < PLAN.pairs && onEach.length > 0; number += 1) {
  const pair = await startBoth(number);
  await measureOn(pair, onEach);
  await pair.stop();
}
const servers = await startBoth(PLAN.pairs);
await measureOn(servers, chosen);
const compared = chosen.map((workload) => compare(workload.name, slices.get(workload)!));
if (only !== undefined) {
  for (const { name, ratio } of compared) say(`${name}: ${JSON.stringify(ratio)}`);
  say(JSON.stringify(compared, undefined, 1));
  await servers.stop();
  process.exit(0);
}
const peak_mib = { gatehouse: memory(servers.gatehouse.pid).peak, bare: memory(servers.bare.pid).peak };
say('measuring the token endpoint while people sign in');
const crowd = await measureCrowd(servers.gatehouse, PLAN.crowd);
await servers.stop();
say('measuring start-up and memory');
const size = await measureSize(folder, PLAN.logins);

const { gatehouse, bare } = compared.find(({ name }) => name === passwordLogin.name)!;
const results: Results = {
  date: new Date().toISOString(),
  node: process.version,
  cpus: availableParallelism(),
  quick,
  compared,
  login: {
    cpu_ms: gatehouse.cpu_ms,
    hash_cpu_ms: gatehouse.hash_cpu_ms,
    beyond_hash_ms: gatehouse.beyond_hash_ms,
    bare_cpu_ms: bare.cpu_ms,
  },
  crowd,
  size,
  peak_mib,
};
const out = path.resolve(import.meta.dirname, 'results', `${results.date.replaceAll(':', '-')}.json`);
mkdirSync(path.dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`);
process.stdout.write(render(results));
say(`written to ${path.relative(process.cwd(), out)}`);
