/**
 * The endpoints that programs ask, never people: nearly all requests. They reach the engine straight from the server, without
 * walking past what is mounted for people.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { issuerPath } from '../kernel/urls.ts';
import type { AnswerPlainly } from './plain/endpoint.ts';

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
  /** Asked first at the token endpoint. */
  answerPlainly: AnswerPlainly;
}

/** @returns a handler that tells whether the request was one of its own. Who asks for HTML, which the library would draw, is not. */
export function programEndpoints({ provider, issuer, check, headers, answerPlainly }: ProgramNeeds) {
  const base = issuerPath(issuer);
  const paths = new Set(ENDPOINTS.map((name) => provider.pathFor(name))).add(base + OPENID_DISCOVERY);
  const tokenPath = provider.pathFor('token');
  const library = provider.callback();

  function answer(req: IncomingMessage & { originalUrl?: string }, res: ServerResponse): void {
    for (const [name, value] of headers) res.setHeader(name, value);
    if (base !== '') {
      req.originalUrl = req.url!; // from which the library knows where it is mounted
      req.url = req.url!.slice(base.length);
    }
    void library(req, res);
  }

  function fail(error: unknown, res: ServerResponse): void {
    provider.emit('error', error);
    res.destroy();
  }

  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const url = req.url!;
    const end = url.indexOf('?');
    if (!paths.has(end < 0 ? url : url.slice(0, end)) || req.headers.accept?.includes('html')) return false;
    check(req.headers);
    if (url === tokenPath)
      void answerPlainly(req, res)
        .then((done) => done || answer(req, res))
        .catch((error: unknown) => fail(error, res));
    else answer(req, res);
    return true;
  };
}
