/**
 * What a record of each token costs: the same requests to two Gatehouses, one of which keeps none (`audit.tokens`). Rounds alternate, since the
 * machine drifts. `node bench/audit-cost.ts [--quick]`; the target is under 5 % CPU.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeAtExit } from './children.ts';
import type { Target } from './fixture.ts';
import { gatehouseEnv, prepareGatehouse, startGatehouse } from './gatehouse.ts';
import type { Env } from './gatehouse.ts';
import { compare } from './side-by-side.ts';
import { WORKLOADS } from './workloads.ts';

const quick = process.argv.includes('--quick');
// Many short rounds: what disturbs one disturbs its neighbour too. Half a second is how long records wait to be written.
const PLAN = quick ? { rounds: 20, seconds: 0.5, warmUp: 6 } : { rounds: 60, seconds: 0.5, warmUp: 15 };
const MEASURED = ['client credentials, opaque', 'client credentials, JWT', 'refresh with rotation'];
const PEOPLE = 8;

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-audit-cost-'));
removeAtExit(folder);

async function start(name: Target['name'], tokens: boolean): Promise<Target & { stop(): Promise<void> }> {
  const env: Env = { ...(await gatehouseEnv(path.join(folder, name))), GATEHOUSE_AUDIT_TOKENS: String(tokens) };
  const fixture = await prepareGatehouse(env, PEOPLE);
  const child = await startGatehouse(env);
  const stop = async () => void (await child.stop());
  return { name, origin: env['GATEHOUSE_ISSUER']!, pid: child.pid, fixture, stop };
}

// In the roles of the comparison: with records, and without.
const [gatehouse, bare] = [await start('gatehouse', true), await start('bare', false)];
for (const workload of WORKLOADS.filter(({ name }) => MEASURED.includes(name))) {
  const { gatehouse: kept, bare: none, ratio } = await compare(workload, { gatehouse, bare }, PLAN);
  const more = (1 / ratio.per_cpu_second - 1) * 100;
  process.stdout.write(
    `${workload.name}: ${kept.cpu_ms.toFixed(3)} ms CPU a request with records, ${none.cpu_ms.toFixed(3)} without: ` +
      `${more.toFixed(1)} % more (median of ${PLAN.rounds} rounds); p99 ${kept.p99_ms.toFixed(1)} and ${none.p99_ms.toFixed(1)} ms\n`,
  );
}
await gatehouse.stop();
await bare.stop();
