/** Stores that go away and come back. */
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect } from 'vitest';
import { startProxy } from '../storage/support/proxy.ts';
import { temporaryFile } from '../storage/support/temporary-file.ts';
import { testDatabase } from '../storage/support/test-database.ts';
import { startGatehouse } from './gatehouse.ts';
import type { Running } from './gatehouse.ts';

interface Breakable {
  url: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
  dispose(): Promise<void>;
}

/** A SQLite file that another program locks. */
async function lockableFile(): Promise<Breakable> {
  const { file, remove } = temporaryFile();
  let other: DatabaseSync | undefined;
  return {
    url: `sqlite:${file}`,
    async cut() {
      other = new DatabaseSync(file);
      other.exec('BEGIN EXCLUSIVE');
    },
    async mend() {
      other?.close();
    },
    dispose: async () => remove(),
  };
}

/** A MongoDB behind a wire that can be cut. */
async function cuttableServer(): Promise<Breakable> {
  const database = testDatabase();
  const { hostname, port } = new URL(database.url);
  const proxy = await startProxy({ hostname, port: Number(port) });
  return { url: database.urlBy(proxy.host), cut: proxy.cut, mend: proxy.mend, dispose: database.drop };
}

/** The store the flows run on, in a form that goes away. */
const breakable = process.env['FLOWS_ON'] === 'mongodb' ? cuttableServer : lockableFile;

export interface Outages {
  readonly gatehouse: Running;
  /** @returns what `look` saw while the store was away; by then it is back, and Gatehouse ready. */
  during<T>(look: () => Promise<T>): Promise<T>;
}

/** A Gatehouse for each test of the file or the group that calls it, whose store goes away. */
export function withOutages(env: Record<string, string> = {}): Outages {
  let store: Breakable;
  let gatehouse: Running;
  beforeEach(async () => {
    store = await breakable();
    gatehouse = await startGatehouse({ GATEHOUSE_STORAGE_URL: store.url, ...env });
  });
  afterEach(async () => {
    await store.mend().catch(() => undefined);
    await gatehouse.stop();
    await store.dispose();
  });
  return {
    get gatehouse() {
      return gatehouse;
    },
    async during(look) {
      await store.cut();
      const seen = await look();
      await store.mend();
      await expect.poll(async () => (await fetch(`${gatehouse.issuer}/ready`)).status).toBe(200);
      return seen;
    },
  };
}
