/** A server-rendered app that leaves signing in to Gatehouse and keeps a session of its own. See README.md. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import Router from '@koa/router';
import Koa from 'koa';
import type { Context, Middleware } from 'koa';
import createSession from 'koa-session';
import * as oidc from 'openid-client';
import { logOutTokens } from './log-out-tokens.ts';
import { endSessions, sessionOf, store } from './sessions.ts';
import type { Session } from './sessions.ts';

const escape = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const form = (action: string, text: string) => `<form method="post" action="${action}"><button>${text}</button></form>`;

/** @param env the settings of README.md. @returns the request handler. @throws when the provider cannot be reached. */
export async function createApp(env: Record<string, string | undefined>) {
  const { ISSUER = 'http://localhost:3000', CLIENT_ID = '', CLIENT_SECRET, PORT = '3001' } = env;
  const { ORIGIN = `http://localhost:${PORT}`, API_RESOURCE = 'http://localhost:3002' } = env;
  const execute = ISSUER.startsWith('http://localhost') ? [oidc.allowInsecureRequests] : [];
  const authentication = oidc.ClientSecretBasic(CLIENT_SECRET);
  const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication, { execute });
  const { issuer, jwks_uri: jwksUri = '' } = config.serverMetadata();
  const readLogOut = logOutTokens({ issuer, jwksUri, clientId: CLIENT_ID });

  function keepTokens(session: Session, answer: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers) {
    const { refresh_token: old, id_token: id = '' } = session.tokens ?? {};
    const { access_token, refresh_token = old, id_token = id } = answer;
    const expires_at = Date.now() + (answer.expiresIn() ?? 0) * 1000;
    session.tokens = { access_token, id_token, refresh_token, expires_at };
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

  async function callApi(ctx: Context, method: string): Promise<void> {
    const token = await accessToken(sessionOf(ctx));
    if (token === undefined) return ctx.redirect('/sign-in');
    const answer = await fetch(`${API_RESOURCE}/notes`, { method, headers: { authorization: `Bearer ${token}` } });
    ctx.body = `<p>The API answered ${answer.status}.</p><pre>${escape(await answer.text())}</pre><a href="/">Back</a>`;
  }

  const router = new Router();
  router.get('/', (ctx) => {
    const { person } = sessionOf(ctx);
    ctx.body = person
      ? `<h1>Hello, ${escape(person.name ?? person.sub)}</h1>
         <p>${escape(person.email ?? '')} (roles: ${escape(person.roles?.join(', ') || 'none')})</p>
         <p><a href="/notes">My notes, from the API</a></p>
         ${form('/notes/clear', 'Clear my notes')} ${form('/sign-out', 'Sign out')}`
      : '<h1>Notes</h1><p><a href="/sign-in">Sign in</a></p>';
  });
  router.get('/sign-in', async (ctx) => {
    const [pkceCodeVerifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
    sessionOf(ctx).checks = { pkceCodeVerifier, expectedState: state, expectedNonce: nonce };
    const scope = 'openid profile email roles offline_access notes:read notes:write';
    const code_challenge = await oidc.calculatePKCECodeChallenge(pkceCodeVerifier);
    const request = { scope, state, nonce, code_challenge, code_challenge_method: 'S256', resource: API_RESOURCE };
    ctx.redirect(oidc.buildAuthorizationUrl(config, { redirect_uri: `${ORIGIN}/callback`, ...request }).href);
  });
  router.get('/callback', async (ctx) => {
    const session = sessionOf(ctx);
    try {
      const answer = await oidc.authorizationCodeGrant(config, new URL(ctx.url, ORIGIN), session.checks);
      keepTokens(session, answer);
      session.person = answer.claims() as NonNullable<Session['person']>;
    } catch (error) {
      const { message, error_description = message } = error as Error & { error_description?: string };
      ctx.throw(400, `You are not signed in: ${error_description}`); // cancelled, or not our request
    }
    delete session.checks;
    await session.regenerate(); // a session id from before the sign-in is worth nothing after it
    ctx.redirect('/');
  });
  router.post('/backchannel-logout', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const token = new URLSearchParams(await text(ctx.req)).get('logout_token') ?? '';
    endSessions(await readLogOut(token).catch(() => ctx.throw(400))); // forged, stale or a copy
    ctx.status = 200;
  });
  router.get('/notes', (ctx) => callApi(ctx, 'GET'));
  router.post('/notes/clear', (ctx) => callApi(ctx, 'DELETE'));
  router.post('/sign-out', async (ctx) => {
    const { id_token = '', refresh_token } = sessionOf(ctx).tokens ?? {};
    if (refresh_token !== undefined) await oidc.tokenRevocation(config, refresh_token);
    Object.assign(ctx, { session: null });
    const request = { id_token_hint: id_token, post_logout_redirect_uri: `${ORIGIN}/` };
    ctx.redirect(oidc.buildEndSessionUrl(config, request).href); // the session at the provider ends too
  });

  const app = new Koa({ keys: [randomBytes(32).toString('hex')] }); // as short-lived as the sessions
  app.use(createSession({ key: 'notes', sameSite: 'lax', secure: ORIGIN.startsWith('https:'), store }, app));
  app.use(router.routes() as unknown as Middleware);
  return app.callback();
}

if (import.meta.main) {
  const { createServer } = await import('node:http');
  const port = Number(process.env['PORT'] ?? 3001);
  const handle = await createApp(process.env);
  createServer(handle).listen(port, 'localhost', () => console.log(`The app listens at http://localhost:${port}`));
}
