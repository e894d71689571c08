/** What is served below `/admin/api`: the API in its version, and the document about it. */
import compose from 'koa-compose';
import mount from 'koa-mount';
import type { Middleware } from 'koa';
import { openApi } from './openapi.ts';
import type { Route } from './route.ts';

interface Needs {
  issuer: string;
  version: string;
  routes: Route[];
  api: Middleware;
}

export function adminRoom({ issuer, version, routes, api }: Needs): Middleware {
  let text: string | undefined;
  const document: Middleware = async (ctx, next) => {
    if (ctx.path !== '/openapi.json' || !['GET', 'HEAD'].includes(ctx.method)) {
      await next();
      return;
    }
    text ??= JSON.stringify(openApi({ issuer, version, routes }));
    ctx.type = 'application/json';
    ctx.body = text;
  };
  return compose([document, mount('/v1', api)]);
}
