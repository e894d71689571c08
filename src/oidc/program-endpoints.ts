/**
 * The endpoints that programs ask, never people: nearly all requests. They reach the engine straight from the server, without
 * walking past what is mounted for people.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { issuerPath } from '../kernel/urls.ts';

const ENDPOINTS = ['token', 'introspection', 'revocation', 'userinfo', 'jwks', 'discovery'] as const;
type Endpoint = (typeof ENDPOINTS)[number];
/** The library knows discovery by two paths and tells one. */
const OPENID_DISCOVERY = '/.well-known/openid-configuration';
type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

/** Runs `middleware` for all requests but those of the endpoints named, which it is known to have no business with. */
export function except(provider: Provider, names: readonly Endpoint[], middleware: Middleware): Middleware {
  // Exactly these: the router also takes other spellings, and they take the long way.
  const paths = new Set(names.map((name) => provider.pathFor(name, { mountPath: '' })));
  if (names.includes('discovery')) paths.add(OPENID_DISCOVERY);
  return (ctx, next) => (paths.has(ctx.path) ? next() : middleware(ctx, next));
}

/** What only people's requests need. */
export const exceptPrograms = (provider: Provider, middleware: Middleware): Middleware =>
  except(provider, ENDPOINTS, middleware);

/** Runs `middleware` for one of the endpoints, the router's other spellings of it included. */
export function only(provider: Provider, name: Endpoint, middleware: Middleware): Middleware {
  const path = provider.pathFor(name, { mountPath: '' }).toLowerCase();
  return (ctx, next) => (ctx.path.toLowerCase().startsWith(path) ? middleware(ctx, next) : next());
}

export interface ProgramNeeds {
  provider: Provider;
  issuer: string;
  /** Called with the headers of each request, for what disagrees with the issuer to be logged. */
  check(headers: IncomingMessage['headers']): unknown;
  /** Set on every answer. */
  headers: [name: string, value: string][];
}

/** @returns a handler that tells whether the request was one of its own. Who asks for HTML, which the library would draw, is not. */
export function programEndpoints({ provider, issuer, check, headers }: ProgramNeeds) {
  const base = issuerPath(issuer);
  const paths = new Set(ENDPOINTS.map((name) => provider.pathFor(name))).add(base + OPENID_DISCOVERY);
  const answer = provider.callback();

  return (req: IncomingMessage & { originalUrl?: string }, res: ServerResponse): boolean => {
    const url = req.url!;
    const end = url.indexOf('?');
    if (!paths.has(end < 0 ? url : url.slice(0, end)) || req.headers.accept?.includes('html')) return false;
    check(req.headers);
    for (const [name, value] of headers) res.setHeader(name, value);
    if (base !== '') {
      req.originalUrl = url; // from which the library knows where it is mounted
      req.url = url.slice(base.length);
    }
    void answer(req, res);
    return true;
  };
}
