/**
 * Dynamic registration, as apps call it: POST here registers, and below it each app reads, changes and removes its own record by
 * its token (RFC 7591, section 3; RFC 7592, section 2). This room owns what apps may say of themselves and what they are told;
 * the rules that hold for every client are in `clients/`.
 */
import { bodyParser } from '@koa/bodyparser';
import compose from 'koa-compose';
import type { Context, Middleware } from 'koa';
import type { ClientAddress } from '../http/client-address.ts';
import { invalidInput, isGatehouseError, tooLarge } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import { InvalidToken } from './registration.ts';
import type { RegistrationUseCases } from './registration.ts';

interface Needs {
  registration: RegistrationUseCases;
  limits: Pick<Limits, 'spend'>;
  clientAddress: ClientAddress;
}

const MOST = '64kb';
const METHODS = 'GET, POST, PUT, DELETE';

const readJson = bodyParser({
  enableTypes: ['json'],
  jsonLimit: MOST,
  onError(error) {
    throw (error as { status?: number }).status === 413
      ? tooLarge(`At most ${MOST} are read.`)
      : invalidInput('the body is not a JSON object');
  },
}) as Middleware;

/** No cookie counts here, so that apps in browsers may ask from anywhere. */
const fromAnywhere: Middleware = async (ctx, next) => {
  ctx.set({ 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' });
  if (ctx.method !== 'OPTIONS') {
    await next();
    return;
  }
  ctx.set({ 'Access-Control-Allow-Methods': METHODS, 'Access-Control-Allow-Headers': 'Authorization, Content-Type' });
  ctx.status = 204;
};

const bearer = (ctx: Context): string | undefined => /^Bearer +([\w.~+/-]+=*)$/i.exec(ctx.get('Authorization'))?.[1];

function bodyOf(ctx: Context): Record<string, unknown> {
  const body: unknown = ctx.request.body;
  if (!ctx.is('json') || typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalidInput('send a JSON object as application/json');
  return body as Record<string, unknown>;
}

function refuse(ctx: Context, status: number, error: string, error_description: string): void {
  ctx.status = status;
  ctx.body = { error, error_description };
}

const answerErrors: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    if (error instanceof InvalidToken) {
      ctx.set('WWW-Authenticate', `Bearer realm="registration"${error.given ? ', error="invalid_token"' : ''}`);
      refuse(ctx, 401, 'invalid_token', error.message);
    } else if (isGatehouseError(error, 'invalid_input')) {
      const ofUris = error.field === 'redirect_uris';
      refuse(ctx, 400, ofUris ? 'invalid_redirect_uri' : 'invalid_client_metadata', error.message);
    } else if (isGatehouseError(error, 'too_large')) {
      refuse(ctx, 413, 'invalid_client_metadata', error.message);
    } else if (isGatehouseError(error, 'limited')) {
      ctx.set('Retry-After', String(error.retryAfter));
      refuse(ctx, 429, 'too_many_requests', error.message);
    } else throw error;
  }
};

export function registrationRoutes({ registration, limits, clientAddress }: Needs): Middleware {
  const route: Middleware = async (ctx, next) => {
    const id = /^\/([\w-]{1,100})\/?$/.exec(ctx.path)?.[1];
    if (id === undefined) {
      if (ctx.path !== '/' && ctx.path !== '') {
        await next();
        return;
      }
      if (ctx.method !== 'POST') return notAllowed(ctx, 'POST');
      await limits.spend('registration', { address: clientAddress(ctx.req) });
      ctx.body = await registration.register(bodyOf(ctx), bearer(ctx));
      ctx.status = 201;
      return;
    }
    if (ctx.method === 'GET') ctx.body = await registration.read(id, bearer(ctx));
    else if (ctx.method === 'PUT') ctx.body = await registration.update(id, bearer(ctx), bodyOf(ctx));
    else if (ctx.method === 'DELETE') {
      await registration.remove(id, bearer(ctx));
      ctx.status = 204;
    } else notAllowed(ctx, 'GET, PUT, DELETE');
  };
  return compose([fromAnywhere, answerErrors, readJson, route]);
}

function notAllowed(ctx: Context, allowed: string): void {
  ctx.set('Allow', allowed);
  refuse(ctx, 405, 'invalid_request', `this address takes ${allowed}`);
}
