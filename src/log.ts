import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import type { Config } from './config/schema.ts';
import type { Logger } from './kernel/logger.ts';

const DEPTH = 3;

interface Described {
  type: string;
  message: string;
  code?: unknown;
  stack?: string | undefined;
  cause?: Described;
}

/** An error without the properties its maker hung on it: some carry the very bytes a client sent. */
function describe(error: unknown, depth = DEPTH): Described {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code, cause } = error as Error & { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: error.stack,
    ...(cause !== undefined && depth > 0 ? { cause: describe(cause, depth - 1) } : {}),
  };
}

/** The program's log: one JSON object a line. @param destination standard error unless a test listens. */
export function createLogger(
  level: Config['log']['level'],
  destination: DestinationStream = pino.destination(2),
): Logger {
  return pino({ level, base: null, serializers: { err: (error: unknown) => describe(error) } }, destination);
}
