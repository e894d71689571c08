/**
 * What a record of each token costs: CPU of what is done for the records of many token answers, through the very code and store of the
 * server, as a share of what a whole request costs the server. Two servers, one of which keeps no records, differ by more than that
 * from run to run: no two processes compile alike. `node bench/audit-cost.ts [--quick]`; the target is under 5 %.
 */
import { EventEmitter } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Provider } from 'oidc-provider';
import { assembleBackstage } from '../src/assemble-backstage.ts';
import { loadConfig } from '../src/config/load.ts';
import { noteTokens } from '../src/oidc/token-events.ts';
import { removeAtExit } from './children.ts';
import type { Target } from './fixture.ts';
import { API_SCOPE, LOGIN_SCOPE } from './fixture.ts';
import { gatehouseEnv, prepareGatehouse, startGatehouse } from './gatehouse.ts';
import { load, median } from './load.ts';
import { WORKLOADS, withWorkers } from './workloads.ts';

const quick = process.argv.includes('--quick');
const { rounds, seconds, warmUp } = quick
  ? { rounds: 10, seconds: 0.5, warmUp: 4 }
  : { rounds: 30, seconds: 0.5, warmUp: 10 };
/** Answers within the half second after which records are written, on a busy server. */
const ANSWERS = 1000;
const PEOPLE = 8;

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-audit-cost-'));
removeAtExit(folder);
const env = await gatehouseEnv(path.join(folder, 'data'));
const fixture = await prepareGatehouse(env, PEOPLE);

const { service, web, resource } = fixture;
const KINDS = [
  { name: 'client credentials, opaque', client: service.client_id, grant_type: 'client_credentials', people: 0 },
  { name: 'client credentials, JWT', client: service.client_id, grant_type: 'client_credentials', resource, people: 0 },
  { name: 'refresh with rotation', client: web.client_id, grant_type: 'refresh_token', people: PEOPLE },
  // Nothing comes together: each answer is a record of its own.
  { name: 'refresh with rotation', client: web.client_id, grant_type: 'refresh_token', people: ANSWERS },
];

/** CPU of one answer's record, in microseconds. */
async function costOf({ client, grant_type, resource: api, people }: (typeof KINDS)[number]): Promise<number> {
  const { audit, close } = await assembleBackstage(loadConfig(env));
  const answers = new EventEmitter();
  noteTokens({ provider: answers as unknown as Provider, note: (event) => audit.token(event) });
  const oidcOf = (i: number) => ({
    params: { grant_type, resource: api },
    client: { clientId: client },
    entities: people === 0 ? {} : { Account: { accountId: `usr_${i % people}` } },
  });
  const body = { scope: api ? API_SCOPE : people === 0 ? undefined : LOGIN_SCOPE };
  const costs: number[] = [];
  for (let round = 0; round < 2 * rounds; round += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < ANSWERS; i += 1) answers.emit('grant.success', { oidc: oidcOf(i), body });
    await audit.idle();
    const { user, system } = process.cpuUsage(before);
    if (round >= rounds) costs.push((user + system) / ANSWERS);
  }
  await close();
  return median(costs);
}

const costs: number[] = [];
await costOf(KINDS[0]!); // until it is compiled
for (const kind of KINDS) costs.push(await costOf(kind));

const child = await startGatehouse(env);
const target: Target = { name: 'gatehouse', origin: env['GATEHOUSE_ISSUER']!, pid: child.pid, fixture };
const requests = new Map<string, number>();
for (const workload of WORKLOADS.filter(({ name }) => KINDS.some((kind) => kind.name === name)))
  await withWorkers(workload, target, async (workers) => {
    await load(workers, { seconds: warmUp, pid: child.pid });
    const slices: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { cpu, units } = await load(workers, { seconds, pid: child.pid });
      slices.push((cpu * 1e6) / units);
    }
    requests.set(workload.name, median(slices));
  });
await child.stop();

for (const [index, { name, people }] of KINDS.entries()) {
  const [cost, request] = [costs[index]!, requests.get(name)!];
  const whose = people === ANSWERS ? ', each of another person' : '';
  process.stdout.write(
    `${name}${whose}: ${cost.toFixed(2)} us of the ${request.toFixed(0)} that a request takes: ${((100 * cost) / (request - cost)).toFixed(1)} % more\n`,
  );
}
process.exit(0);
