/** Start-up and memory: the second start, memory idle, and memory with many logins' records in the store. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './children.ts';
import type { Fixture, Target } from './fixture.ts';
import { gatehouseEnv, prepareGatehouse, startGatehouse } from './gatehouse.ts';
import type { Env } from './gatehouse.ts';
import { load, median } from './load.ts';
import { memory } from './procfs.ts';
import { WORKLOADS, withWorkers } from './workloads.ts';

const STARTS = 5;
const SETTLED_MS = 2000;
const WRITER = path.resolve(import.meta.dirname, 'logins-worth.ts');

export interface Size {
  start_ms: number;
  idle_rss_mib: number;
  logins: number;
  /** Starting on that store, and after every workload has touched it. */
  start_with_records_ms: number;
  rss_with_records_mib: number;
}

/** Starts again and again on a data folder whose compile cache the first start filled. */
async function measureStarts(env: Env): Promise<{ start_ms: number; idle_rss_mib: number }> {
  const times: number[] = [];
  const idle: number[] = [];
  for (let i = 0; i < STARTS; i += 1) {
    const child = await startGatehouse(env);
    times.push(child.readyMs);
    if (i === 0) await sleep(SETTLED_MS);
    idle.push(memory(child.pid).rss);
    await child.stop();
  }
  return { start_ms: median(times), idle_rss_mib: Math.max(...idle) };
}

async function measureWithRecords(env: Env, fixture: Fixture, logins: number) {
  const writer = await startChild([WRITER, String(logins)], env, /written to/);
  await writer.stop();
  const child = await startGatehouse(env);
  const target: Target = { name: 'gatehouse', origin: env['GATEHOUSE_ISSUER']!, pid: child.pid, fixture };
  for (const workload of WORKLOADS)
    await withWorkers(workload, target, (workers) => load(workers, { seconds: 0.3, pid: child.pid }));
  await sleep(SETTLED_MS);
  const { rss } = memory(child.pid);
  await child.stop();
  return { start_with_records_ms: child.readyMs, rss_with_records_mib: rss };
}

/** @param logins how many logins' worth of records to write. */
export async function measureSize(folder: string, logins: number): Promise<Size> {
  const env = await gatehouseEnv(path.join(folder, 'size'));
  const fixture = await prepareGatehouse(env, 8);
  await (await startGatehouse(env)).stop();
  const starts = await measureStarts(env);
  return { ...starts, logins, ...(await measureWithRecords(env, fixture, logins)) };
}
