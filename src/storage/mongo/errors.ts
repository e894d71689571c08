import { setTimeout as wait } from 'node:timers/promises';
import { mongo } from 'mongoose';
import { unavailable } from '../../kernel/errors.ts';

const DUPLICATE_KEY = 11000;
const WRITE_CONFLICT = 112;
const ATTEMPTS = 4;
const BACKOFF_MS = 100;
/** The driver may leave a write unanswered for good whose connection went away at the wrong moment. */
const UNANSWERED_MS = 10_000;
// mongoose's own words for a lost connection; its other errors (casts) are mistakes in this program and stay as they are.
const UNREACHABLE = new Set(['MongooseError', 'MongooseServerSelectionError', 'DisconnectedError']);

/**
 * Whether a unique index refused the write. FerretDB says so in a second form (see "A MongoDB-compatible server" in the docs
 * of the tests); neither names the index in a way to rely on.
 */
export function isDuplicateKey(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: string };
  return (
    code === DUPLICATE_KEY || (code === 1 && /conflicting key|exclusion constraint|duplicate key/i.test(message ?? ''))
  );
}

/**
 * Whether the server gave one of two writers up and undid it: mongod calls that a write conflict, FerretDB (PostgreSQL) a
 * deadlock, seen where documents that break a unique index are inserted at once. The way out is to try again.
 */
function isGivenUp(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: string };
  return code === WRITE_CONFLICT || /deadlock detected/i.test(message ?? '');
}

// Of a socket that the other side closed the driver may let Node's own error through.
const SOCKET_ERROR = /^(EPIPE|ECONN\w+|ETIMEDOUT|EHOST\w+|ENET\w+|ENOTFOUND|EAI_AGAIN)$/;

function isUnreachable(error: unknown): boolean {
  if (error instanceof mongo.MongoError) return true;
  return (
    error instanceof Error &&
    (UNREACHABLE.has(error.name) || SOCKET_ERROR.test(String((error as { code?: unknown }).code)))
  );
}

function translated(error: unknown): unknown {
  return isUnreachable(error) ? unavailable('The store does not answer.', error) : error;
}

async function answered<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable('The store does not answer.')), UNANSWERED_MS);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

type Call = (...args: never[]) => Promise<unknown>;

/** Each of our calls can run again from its start: what has an effect only once is its last write, which was undone. */
async function persistently(call: Call, args: never[]): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(...args);
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof mongo.MongoError && isGivenUp(error))) throw error;
    }
    // Those that were given up together must not meet again.
    await wait(Math.random() * attempt * BACKOFF_MS);
  }
}

/** Stands between the rooms and the driver: turns its errors into ours and knows what is under way. */
export function createGuard() {
  const underWay = new Set<Promise<unknown>>();

  async function run(call: Call, args: never[]): Promise<unknown> {
    const work = answered(persistently(call, args));
    underWay.add(work);
    try {
      return await work;
    } catch (error) {
      throw translated(error);
    } finally {
      underWay.delete(work);
    }
  }

  return {
    /** The same store, every method guarded. */
    guard<S extends object>(store: S): S {
      const methods = Object.entries(store as Record<string, Call>);
      return Object.fromEntries(methods.map(([name, call]) => [name, (...args: never[]) => run(call, args)])) as S;
    },
    /** Resolves when no call is under way. */
    idle: async (): Promise<void> => void (await Promise.allSettled(underWay)),
  };
}
