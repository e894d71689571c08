import { createConnection, mongo } from 'mongoose';
import type { Connection } from 'mongoose';
import { unavailable } from '../../kernel/errors.ts';

// An unreachable server is told to people soon; a primary that is being elected is found within this time by a retry of theirs.
const SERVER_SELECTION_MS = 2000;
const CONNECT_MS = 2000;
// Past the write timeout, so that a slow majority is reported as such and not as a dead line.
const SOCKET_MS = 10_000;
const WRITE_TIMEOUT_MS = 5000;
const DEFAULT_DATABASE = 'gatehouse';

/** What a write waits for unless it says otherwise: it survives power loss and the election of another primary. */
const DURABLE = { w: 'majority', journal: true, wtimeoutMS: WRITE_TIMEOUT_MS } as const;

const OPTIONS = {
  appName: 'gatehouse',
  // A store that does not answer is told at once; mongoose would queue commands in memory.
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
  serverSelectionTimeoutMS: SERVER_SELECTION_MS,
  connectTimeoutMS: CONNECT_MS,
  socketTimeoutMS: SOCKET_MS,
  // A secondary lags: it would call a used code fresh.
  readPreference: 'primary',
  writeConcern: DURABLE,
  // `undefined` is absent, as in JSON; the driver would store null.
  ignoreUndefined: true,
  promoteBuffers: true,
} as const;

export interface Connected {
  connection: Connection;
  /** Servers and database, never credentials. */
  description: string;
}

/** The driver's words for why, where they are known to hold no credentials. */
function reason(error: unknown): string {
  const { name, message } = error as Error;
  if (name === 'MongooseServerSelectionError') return `MongoDB does not answer: ${message}`;
  return error instanceof mongo.MongoServerError ? `MongoDB refuses: ${message}` : 'The MongoDB URL cannot be used.';
}

/**
 * Connects on a connection of its own, so that nothing else in the process that uses mongoose is touched.
 * @throws unavailable when no server answers, the credentials are refused or the URL is malformed.
 */
export async function connect(url: string): Promise<Connected> {
  const connection = createConnection();
  try {
    const named = /^[^?]*:\/\/[^?/]+\/[^?]/.test(url);
    await connection.openUri(url, named ? OPTIONS : { ...OPTIONS, dbName: DEFAULT_DATABASE });
  } catch (error) {
    await connection.close().catch(() => undefined);
    throw unavailable(reason(error), error);
  }
  const hosts = connection.getClient().options.hosts.map(String).join(',');
  return { connection, description: `MongoDB at ${hosts}/${connection.name}` };
}
