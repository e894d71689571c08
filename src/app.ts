/** The Koa app: the order of the middleware and the list of everything that is mounted, on one screen. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import type { Middleware } from 'koa';
import mount from 'koa-mount';
import type { Config } from './config/schema.ts';
import { noRedirectAfterPost } from './http/continue.ts';
import type { ContinueTo } from './http/continue.ts';
import { handleErrors, renderErrorPage } from './http/errors.ts';
import { formPost } from './http/form-post.ts';
import { programHeaders, securityHeaders } from './http/headers.ts';
import { createOriginCheck, explainMismatch, normalizeTarget, pinOrigin } from './http/origin.ts';
import type { Render } from './http/render.ts';
import { inTurns } from './http/turns.ts';
import { createCookieSignatures } from './kernel/cookie-signatures.ts';
import type { Logger } from './kernel/logger.ts';
import { issuerPath } from './kernel/urls.ts';
import { programEndpoints } from './oidc/program-endpoints.ts';
import type { Engine } from './oidc/provider.ts';

export interface AppNeeds {
  config: Pick<Config, 'issuer' | 'secrets'>;
  engine: Engine;
  log: Logger;
  render: Render;
  continueTo: ContinueTo;
  /** Web rooms, each at its place below the issuer's path. */
  rooms: Record<
    | 'assets'
    | 'health'
    | 'firstAdmin'
    | 'landing'
    | 'interaction'
    | 'language'
    | 'invitations'
    | 'mailedLinks'
    | 'signedOut'
    | 'logos',
    Middleware
  > & {
    playground: Middleware | undefined;
    mailbox: Middleware | undefined;
    portal: Middleware | undefined;
    admin: Middleware | undefined;
    /** Beside the issuer's path, not below it. */
    adminMetadata: Middleware | undefined;
    registration: Middleware | undefined;
    console: Middleware | undefined;
  };
  /** Keeps what was refused for the admin who is told the reference code. */
  refused: Parameters<typeof handleErrors>[0]['refused'];
  /** Makes the caller of each request known to what it leads to. */
  caller: Middleware;
}

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

const WELL_KNOWN = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];

/** For an issuer with a path, metadata is also found by path insertion (RFC 8414, section 3.1). */
function insertedWellKnown(base: string): Middleware {
  return async (ctx, next) => {
    const found = WELL_KNOWN.find((path) => ctx.path === path + base);
    if (base !== '' && found !== undefined) ctx.path = base + found;
    await next();
  };
}

/** Errors of the other side: they say nothing about us. */
function isHangUp(error: Error): boolean {
  return /^(HPE_|ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)/.test(
    String((error as { code?: unknown }).code),
  );
}

export function createApp({
  config,
  engine: { provider, eachInstance, engine, answerPlainly },
  log,
  render,
  continueTo,
  rooms,
  caller,
  refused,
}: AppNeeds): RequestHandler {
  const { issuer } = config;
  const base = issuerPath(issuer);
  const under = (room: Middleware) => (base ? mount(base, room) : room);
  const app = new Koa();
  app.keys = createCookieSignatures(config.secrets.cookie_keys);
  pinOrigin(app, issuer);

  const https = issuer.startsWith('https:');
  const check = createOriginCheck({ issuer, log });
  app.use(securityHeaders(https));
  app.use(handleErrors({ render, log, refused, home: `${issuer.replace(/\/$/, '')}/` }));
  app.use(
    explainMismatch(check, base, (ctx, found) =>
      renderErrorPage(ctx, render, {
        key: 'proxy_mismatch',
        status: 421,
        variables: { ...found },
        detail: true,
        home_url: issuer,
      }),
    ),
  );
  app.use(under(rooms.health));
  app.use(caller);
  app.use(noRedirectAfterPost({ issuer, continueTo }));
  if (rooms.adminMetadata) app.use(rooms.adminMetadata);
  app.use(insertedWellKnown(base));
  app.use(mount(`${base}/assets`, rooms.assets));
  app.use(mount(`${base}/logos`, rooms.logos));
  app.use(mount(`${base}/language`, rooms.language));
  if (rooms.playground) app.use(mount(`${base}/playground`, rooms.playground));
  if (rooms.mailbox) app.use(mount(`${base}/mailbox`, rooms.mailbox));
  if (rooms.portal) app.use(mount(`${base}/account`, rooms.portal));
  app.use(mount(`${base}/admin/first`, rooms.firstAdmin));
  if (rooms.admin) app.use(mount(`${base}/admin/api`, rooms.admin));
  if (rooms.registration) app.use(mount(`${base}/register`, rooms.registration));
  if (rooms.console) app.use(mount(`${base}/admin`, rooms.console));
  app.use(under(rooms.landing));
  app.use(under(rooms.invitations));
  app.use(under(rooms.mailedLinks));
  app.use(under(rooms.signedOut));
  app.use(under(rooms.interaction));
  app.use(formPost(render));
  app.use(engine);

  eachInstance((instance) => pinOrigin(instance, issuer));
  for (const koa of [app, provider])
    koa.on('error', (error: Error) => {
      if (isHangUp(error)) log.info({ err: error }, 'a client hung up or sent no HTTP');
      else log.error({ err: error }, 'an answer could not be sent');
    });
  const headers = programHeaders(https);
  const programs = programEndpoints({
    provider,
    issuer,
    check,
    headers,
    answerPlainly: answerPlainly(headers),
  });
  const handle = inTurns(app.callback());
  return (req, res) => {
    if (normalizeTarget(req)) {
      if (!programs(req, res)) handle(req, res);
      return;
    }
    res
      .writeHead(400, { 'Content-Type': 'application/json' })
      .end('{"error":"invalid_request","error_description":"the Host header or request target is malformed"}');
  };
}
