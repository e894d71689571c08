/** The small backend of a browser app: it signs people in and calls the API for the page, which never sees a token (BFF). See README.md. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import Router from '@koa/router';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import createSession from 'koa-session';
import serve from 'koa-static';
import * as oidc from 'openid-client';

interface Session {
  /** A sign-in under way. */
  checks?: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string };
  person?: { sub: string; name?: string; email?: string };
  tokens?: { access_token: string; refresh_token: string | undefined; expires_at: number };
  regenerate(): Promise<void>;
}
const sessionOf = (ctx: Context) => (ctx as unknown as { session: Session }).session;

/** A real app keeps them in its database. */
const sessions = new Map<string, Session>();
const store = {
  get: async (id: string) => sessions.get(id),
  set: async (id: string, session: Session) => void sessions.set(id, session),
  destroy: async (id: string) => void sessions.delete(id),
};

const HEADERS = {
  'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** Other sites can have a browser send forms and links here, with its cookie, but not this header: our origin grants them none (CORS). */
const ownPagesOnly: Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'no-store');
  if (ctx.get('X-CSRF') !== '1') ctx.throw(403, 'send the header X-CSRF: 1');
  await next();
};

/** @param env the settings of README.md. @returns the request handler. @throws when the provider cannot be reached. */
export async function createSpa(env: Record<string, string | undefined>) {
  const { ISSUER = 'http://localhost:3000', CLIENT_ID = '', CLIENT_SECRET, PORT = '3004' } = env;
  const { ORIGIN = `http://localhost:${PORT}`, API_RESOURCE = 'http://localhost:3002' } = env;
  const execute = ISSUER.startsWith('http://localhost') ? [oidc.allowInsecureRequests] : [];
  const authentication = oidc.ClientSecretBasic(CLIENT_SECRET);
  const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication, { execute });

  function keepTokens(session: Session, answer: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers) {
    const { access_token, refresh_token = session.tokens?.refresh_token } = answer;
    session.tokens = { access_token, refresh_token, expires_at: Date.now() + (answer.expiresIn() ?? 0) * 1000 };
    return access_token;
  }

  /** An access token that is good for a while yet, or undefined where the person has to sign in again. */
  async function accessToken(session: Session): Promise<string | undefined> {
    const { access_token, refresh_token, expires_at = 0 } = session.tokens ?? {};
    if (expires_at > Date.now() + 30_000) return access_token;
    if (refresh_token === undefined) return undefined;
    try {
      return keepTokens(session, await oidc.refreshTokenGrant(config, refresh_token));
    } catch (error) {
      if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return undefined;
      throw error;
    }
  }

  const router = new Router();
  router.get('/bff/sign-in', async (ctx) => {
    const [pkceCodeVerifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
    sessionOf(ctx).checks = { pkceCodeVerifier, expectedState: state, expectedNonce: nonce };
    const scope = 'openid profile email offline_access notes:read';
    const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
    const request = { scope, state, nonce, code_challenge, code_challenge_method: 'S256', resource: API_RESOURCE };
    ctx.redirect(oidc.buildAuthorizationUrl(config, { redirect_uri: `${ORIGIN}/bff/callback`, ...request }).href);
  });
  router.get('/bff/callback', async (ctx) => {
    const session = sessionOf(ctx);
    try {
      const answer = await oidc.authorizationCodeGrant(config, new URL(ctx.url, ORIGIN), session.checks);
      keepTokens(session, answer);
      const { sub, name, email } = answer.claims() as NonNullable<Session['person']>;
      session.person = { sub, ...(name && { name }), ...(email && { email }) };
    } catch {
      return ctx.redirect('/?refused'); // cancelled, or not our request
    }
    delete session.checks;
    await session.regenerate(); // a session id from before the sign-in is worth nothing after it
    ctx.redirect('/');
  });
  router.get('/bff/session', ownPagesOnly, (ctx) => {
    ctx.body = { person: sessionOf(ctx).person ?? null };
  });
  router.post('/bff/sign-out', ownPagesOnly, async (ctx) => {
    const { refresh_token } = sessionOf(ctx).tokens ?? {};
    if (refresh_token !== undefined) await oidc.tokenRevocation(config, refresh_token);
    Object.assign(ctx, { session: null });
    // The page goes there, so that the session at the provider ends too; without an `id_token_hint`, which would be a token in the page.
    ctx.body = { next: oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: `${ORIGIN}/` }).href };
  });
  // Only what this page needs of the API, never any address that it names.
  router.all('/bff/api/notes', ownPagesOnly, async (ctx) => {
    const token = await accessToken(sessionOf(ctx));
    if (token === undefined) return ctx.throw(401, 'sign in');
    const { method } = ctx;
    const body = method === 'GET' || method === 'HEAD' ? null : new Uint8Array(await buffer(ctx.req));
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': ctx.get('Content-Type') }) };
    const answer = await fetch(`${API_RESOURCE}/notes`, { method, headers, body });
    ctx.status = answer.status;
    ctx.type = answer.headers.get('content-type') ?? 'application/json';
    ctx.body = await answer.text();
  });

  const app = new Koa({ keys: [randomBytes(32).toString('hex')] }); // as short-lived as the sessions
  app.use(async (ctx, next) => {
    ctx.set(HEADERS);
    await next();
  });
  app.use(createSession({ key: 'notes-spa', sameSite: 'lax', secure: ORIGIN.startsWith('https:'), store }, app));
  app.use(router.routes() as unknown as Middleware);
  app.use(serve(path.join(import.meta.dirname, 'public')));
  return app.callback();
}

if (import.meta.main) {
  const { createServer } = await import('node:http');
  const port = Number(process.env['PORT'] ?? 3004);
  const handle = await createSpa(process.env);
  createServer(handle).listen(port, 'localhost', () => console.log(`The browser app is at http://localhost:${port}`));
}
