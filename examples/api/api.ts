/** An API that accepts access tokens of Gatehouse: JWTs (RFC 9068), checked here without asking anybody. See README.md. */
import Router from '@koa/router';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';

/** What a checked token says. */
interface Claims extends JWTPayload {
  sub: string;
  client_id: string;
  scope?: string;
  roles?: string[];
  /** How much the person's sign-in proved, and when (epoch seconds). */
  acr?: string;
  auth_time?: number;
}

const TWO_FACTORS = ['urn:gatehouse:acr:2', 'urn:gatehouse:acr:3'];
const claimsOf = (ctx: Context) => ctx.state['claims'] as Claims;

/** Refuses as RFC 6750 asks, with the reason in `WWW-Authenticate` and as JSON. No token at all gets no error code. */
function refuse(ctx: Context, status: 401 | 403, error?: string, error_description?: string, wanted = ''): void {
  const reason = error === undefined ? '' : `, error="${error}", error_description="${error_description}"${wanted}`;
  ctx.status = status;
  ctx.set('WWW-Authenticate', `Bearer realm="notes"${reason}`);
  ctx.body = { error: error ?? 'unauthorized', error_description: error_description ?? 'send an access token' };
}

/** Finds the key set by the provider's metadata; `jose` fetches it again by itself when keys rotate. */
async function discoverKeys(issuer: string) {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  if (!response.ok) throw new Error(`${issuer} answered with status ${response.status}`);
  const metadata = (await response.json()) as { issuer: string; jwks_uri: string };
  if (metadata.issuer !== issuer) throw new Error(`the provider calls itself ${metadata.issuer}, not ${issuer}`);
  return createRemoteJWKSet(new URL(metadata.jwks_uri));
}

/** That the key set cannot be had says nothing about the token: those errors are ours. */
const OURS = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

/** Lets a request through only with a token that is genuine, alive, and made for this API. */
async function authenticate(issuer: string, resource: string): Promise<Middleware> {
  const keys = await discoverKeys(issuer);
  return async (ctx, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? [];
    if (token === undefined) return refuse(ctx, 401);
    try {
      const { payload } = await jwtVerify<Claims>(token, keys, {
        issuer,
        audience: resource,
        typ: 'at+jwt', // keeps ID tokens out
        algorithms: ['ES256', 'RS256'],
        requiredClaims: ['exp', 'sub', 'client_id'],
      });
      ctx.state['claims'] = payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || OURS.has(error.code)) throw error;
      const expired = error instanceof errors.JWTExpired;
      return refuse(ctx, 401, 'invalid_token', expired ? 'the token has expired' : 'the token is not valid here');
    }
    await next();
  };
}

/** What the person allowed the app to do. */
const needsScope =
  (name: string): Middleware =>
  (ctx, next) =>
    claimsOf(ctx).scope?.split(' ').includes(name)
      ? next()
      : refuse(ctx, 403, 'insufficient_scope', `the scope ${name} is needed`);

/** What the person may do themselves; it is in the token where the app asked for the scope `roles`. */
const needsRole =
  (name: string): Middleware =>
  (ctx, next) =>
    claimsOf(ctx).roles?.includes(name) ? next() : refuse(ctx, 403, 'insufficient_scope', `the role ${name} is needed`);

/** What the sign-in must have been like (RFC 9470): two factors, at most `maxAge` seconds ago. The app sends the person to do that. */
const needsSureness =
  (maxAge: number): Middleware =>
  (ctx, next) => {
    const { acr = '', auth_time = 0 } = claimsOf(ctx);
    const told = (description: string, wanted: string) =>
      refuse(ctx, 401, 'insufficient_user_authentication', description, `, ${wanted}`);
    if (!TWO_FACTORS.includes(acr))
      return told('two factors are needed for this', `acr_values="${TWO_FACTORS.join(' ')}"`);
    return auth_time + maxAge < Date.now() / 1000 ? told('sign in anew for this', `max_age="${maxAge}"`) : next();
  };

/** @param env the settings of README.md. @returns the request handler. @throws when the provider cannot be reached. */
export async function createApi(env: Record<string, string | undefined>) {
  const { ISSUER = 'http://localhost:3000', API_RESOURCE = 'http://localhost:3002' } = env;
  const notes = ['Water the plants', 'Call Ada'];
  const router = new Router();
  router.get('/notes', needsScope('notes:read'), (ctx) => {
    ctx.body = { notes, owner: claimsOf(ctx).sub };
  });
  router.get('/notes/private', needsScope('notes:read'), needsSureness(300), (ctx) => {
    ctx.body = { notes: ['The key is under the mat'] };
  });
  router.delete('/notes', needsScope('notes:write'), needsRole('editor'), (ctx) => {
    notes.length = 0;
    ctx.status = 204;
  });

  const app = new Koa();
  app.use(await authenticate(ISSUER, API_RESOURCE));
  app.use(router.routes() as unknown as Middleware);
  return app.callback();
}

if (import.meta.main) {
  const { createServer } = await import('node:http');
  const port = Number(process.env['PORT'] ?? 3002);
  const handle = await createApi(process.env);
  createServer(handle).listen(port, 'localhost', () => console.log(`The API listens at http://localhost:${port}`));
}
