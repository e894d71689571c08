/** What is remembered of a person who is away at an upstream, and what ties it to their browser. */
import type { Context } from 'koa';
import type { Client as ProviderClient } from 'oidc-provider';
import type { Checks, UpstreamError } from '../federation/connector.ts';
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';

/** Kind of the records, which are found by `state`. */
export const UPSTREAM_LOGIN = 'UpstreamLogin';

export interface UpstreamLogin {
  /** To whom the person was sent: an answer from anybody else is refused. */
  provider: string;
  /** The interaction, and when it ends (epoch seconds). */
  uid: string;
  exp: number;
  client_id: string;
  /** Mark of the browser. */
  browser: string;
  checks: Checks;
}

export interface BrowserMark {
  /** The mark of this browser, set where there is none. */
  of(ctx: Context): string;
  is(ctx: Context, mark: string): boolean;
}

/**
 * The cookie of an interaction is sent to its own path alone, which a callback is not on, so the browser gets a mark of its own.
 * Lax: it comes along when the upstream sends the browser back.
 */
export function createBrowserMark(https: boolean): BrowserMark {
  const name = `${https ? '__Host-' : ''}gatehouse_upstream`;
  const read = (ctx: Context) => ctx.cookies.get(name, { signed: true });
  return {
    of(ctx) {
      const mark = read(ctx) ?? newId();
      ctx.cookies.set(name, mark, { signed: true, httpOnly: true, sameSite: 'lax', secure: https, path: '/' });
      return mark;
    },
    is: (ctx, mark) => constantTimeEqual(read(ctx) ?? '', mark),
  };
}

/** Whether people may sign in to this client with this provider: any, unless its registration names some. */
export function mayUse(client: ProviderClient, provider: string): boolean {
  const allowed = client['identity_providers'] as string[] | undefined;
  return allowed === undefined || allowed.length === 0 || allowed.includes(provider);
}

/** By its kind and code alone: what an upstream sent may hold codes and tokens. */
export function logUpstreamFailure(log: Logger, provider: string, { problem, detail }: UpstreamError): void {
  const fields = { provider, problem, detail };
  if (problem === 'cancelled') log.info(fields, 'a person cancelled at an upstream');
  else log.warn(fields, 'signing in with an upstream failed');
}
