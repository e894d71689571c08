/** Stores that go away and come back. */
import { DatabaseSync } from 'node:sqlite';
import { startProxy } from '../storage/support/proxy.ts';
import { temporaryFile } from '../storage/support/temporary-file.ts';
import { testDatabase } from '../storage/support/test-database.ts';

export interface Breakable {
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
export const breakable = process.env['FLOWS_ON'] === 'mongodb' ? cuttableServer : lockableFile;
