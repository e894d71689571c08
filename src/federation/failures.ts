/** Errors of the client library and of the network in our words. */
import { UpstreamError } from './connector.ts';
import type { OpenidClient, UpstreamProblem } from './connector.ts';

/** Google and GitHub say `access_denied`, Apple has a word of its own. */
const CANCELLED = new Set(['access_denied', 'user_cancelled_authorize', 'user_cancelled_login']);
const AWAY = new Set(['temporarily_unavailable', 'server_error', 'OAUTH_TIMEOUT', 'OAUTH_ABORT']);
const CODE = /^[\w.-]{1,60}$/;
const SERVER_ERROR = 500;

/** An error code that came from outside, fit for a log line. */
const code = (value: unknown): string | undefined =>
  typeof value === 'string' ? (CODE.test(value) ? value : 'other') : undefined;

/** What an `error` in an authorization response means (RFC 6749, section 4.1.2.1). */
export function problemOf(error: string): UpstreamProblem {
  if (CANCELLED.has(error)) return 'cancelled';
  return AWAY.has(error) ? 'unavailable' : 'refused';
}

const statusOf = (error: unknown): number => {
  const { status, cause } = error as { status?: unknown; cause?: { status?: unknown } };
  return Number(status ?? cause?.status ?? 0);
};

export function toUpstreamError(client: OpenidClient, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof client.AuthorizationResponseError)
    return new UpstreamError(problemOf(error.error), code(error.error));
  if (statusOf(error) >= SERVER_ERROR) return new UpstreamError('unavailable', `status ${statusOf(error)}`);
  if (error instanceof client.ResponseBodyError) return new UpstreamError('refused', code(error.error));
  if (error instanceof client.ClientError)
    return new UpstreamError(AWAY.has(error.code ?? '') ? 'unavailable' : 'refused', code(error.code));
  const { cause } = error as { cause?: { code?: unknown } };
  return new UpstreamError('unavailable', code(cause?.code) ?? (error as Error).name);
}

/** @throws UpstreamError `unavailable` when the work takes longer than `ms`. */
export async function withDeadline<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UpstreamError('unavailable', 'OAUTH_TIMEOUT')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
