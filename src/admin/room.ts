/** What is served below `/admin/api`: the API in its version, and the document about it. */
import compose from 'koa-compose';
import mount from 'koa-mount';
import type { Middleware } from 'koa';
import type { Render } from '../http/render.ts';
import { documentPage } from './document-page.ts';
import { openApi } from './openapi.ts';
import type { OpenApi } from './openapi.ts';
import type { Route } from './route.ts';

interface Needs {
  render: Render;
  issuer: string;
  version: string;
  routes: Route[];
  api: Middleware;
}

export function adminRoom({ issuer, version, routes, api, render }: Needs): Middleware {
  let made: { document: OpenApi; text: string } | undefined;
  function theDocument() {
    const document = made?.document ?? openApi({ issuer, version, routes });
    made ??= { document, text: JSON.stringify(document) };
    return made;
  }

  const document: Middleware = async (ctx, next) => {
    const asked = ['GET', 'HEAD'].includes(ctx.method) ? ctx.path : undefined;
    if (asked === '/openapi.json') {
      ctx.type = 'application/json';
      ctx.body = theDocument().text;
    } else if (asked === '/') {
      const page = documentPage(theDocument().document, `${issuer}/admin/api/openapi.json`);
      await render(ctx, 'admin/api', page, { title: ['admin.api.title'], layout_kind: 'wide' });
    } else await next();
  };
  return compose([document, mount('/v1', api)]);
}
