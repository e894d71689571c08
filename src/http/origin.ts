/**
 * The public origin comes from the configuration, never from a request: not from `Host`, not from `X-Forwarded-Host`, not
 * from an absolute request line. A request that disagrees changes no link; a person gets a page that says what to mend.
 */
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import type { Logger } from '../kernel/logger.ts';

/** Makes Koa, and with it the library, believe the issuer's protocol and host for every request. */
export function pinOrigin(app: Koa, issuer: string): void {
  const { protocol, host, hostname } = new URL(issuer);
  const pinned = { protocol: protocol.slice(0, -1), host, hostname };
  for (const [name, value] of Object.entries(pinned))
    Object.defineProperty(app.request, name, { get: () => value, configurable: true });
}

/**
 * Cuts an absolute request target down to its path, as RFC 9112 (section 3.2.2) lets any client send one.
 * @returns whether the request's target and `Host` are well-formed.
 */
export function normalizeTarget(req: IncomingMessage): boolean {
  const { host } = req.headers;
  // Of two, Node keeps the first; a proxy in front may have believed the other.
  if (countOf(req.rawHeaders, 'host') > 1) return false;
  const target = req.url ?? '/';
  if (!target.startsWith('/')) {
    const url = URL.parse(target);
    if (!url) return target === '*';
    req.url = url.pathname + url.search;
  }
  return host === undefined || isHost(host);
}

/** @param headers names and values in turn. */
function countOf(headers: string[], name: string): number {
  let count = 0;
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.length === name.length && headers[i]!.toLowerCase() === name) count += 1;
  return count;
}

/** The well-formed value that came last: nearly always the same one, and taking it apart costs 2 us. */
let lastHost: string | undefined;

function isHost(host: string): boolean {
  if (host === lastHost) return true;
  const well = isWellFormed(host);
  if (well) lastHost = host;
  return well;
}

function isWellFormed(host: string): boolean {
  const url = /[\s/\\?#@]/.test(host) ? null : URL.parse(`http://${host}`);
  return url !== null && url.host !== '';
}

export interface OriginMismatch {
  expected: string;
  received: string;
  /** The header a proxy in front should pass on. */
  header: string;
}

function mismatch(headers: IncomingMessage['headers'], expected: string): OriginMismatch | undefined {
  const forwarded = headers['x-forwarded-host'];
  const received = (Array.isArray(forwarded) ? forwarded[0] : forwarded) ?? headers.host;
  if (received === undefined || received.toLowerCase() === expected.toLowerCase()) return undefined;
  return { expected, received, header: forwarded === undefined ? 'Host' : 'X-Forwarded-Host' };
}

const MOST_REPORTED = 100;

export type OriginCheck = (headers: IncomingMessage['headers']) => OriginMismatch | undefined;

/** @returns a check of a request's address against the issuer's; each other address is logged once. */
export function createOriginCheck({ issuer, log }: { issuer: string; log: Logger }): OriginCheck {
  const expected = new URL(issuer).host;
  const reported = new Set<string>();
  return (headers) => {
    const found = mismatch(headers, expected);
    if (found && !reported.has(found.received) && reported.size < MOST_REPORTED) {
      reported.add(found.received);
      log.warn(
        { ...found },
        `a request came for ${found.received}, but the issuer is ${expected}: the proxy in front must pass on ${found.header}`,
      );
    }
    return found;
  };
}

/**
 * Sends people who came by another address to a page that names both. Programs are served: inside a network an API may well be
 * reached by another name.
 */
export function explainMismatch(
  check: OriginCheck,
  base: string,
  page: (ctx: Koa.Context, found: OriginMismatch) => Promise<void>,
): Middleware {
  return async (ctx, next) => {
    const found = check(ctx.req.headers);
    const isPage = () =>
      ctx.method === 'GET' && !ctx.path.startsWith(`${base}/assets/`) && ctx.accepts('json', 'html') === 'html';
    if (found && isPage()) await page(ctx, found);
    else await next();
  };
}
