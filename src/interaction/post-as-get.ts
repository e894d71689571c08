import Router from '@koa/router';
import type { Middleware } from 'koa';
import { readForm } from '../http/body.ts';
import { routesOf } from '../http/routing.ts';
import { tooLarge } from '../kernel/errors.ts';
import { LONGEST_QUERY } from '../oidc/bounds.ts';

/**
 * Requests that apps may send by POST too (OpenID Connect Core, section 3.1.2.1; RP-Initiated Logout 1.0, section 2). A form
 * that another site sends brings none of our cookies; the GET that it leads to does.
 */
export function postAsGet(base: string): Middleware {
  const router = new Router();
  router.post(['/auth', '/session/end'], readForm(), (ctx) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...(ctx.request.body as Record<string, unknown>) })) {
      for (const one of [value].flat()) if (typeof one === 'string') query.append(name, one);
    }
    if (query.toString().length > LONGEST_QUERY) throw tooLarge('The request is too long.');
    ctx.status = 303;
    ctx.redirect(`${base}${ctx.path}?${query.toString()}`);
  });
  return routesOf(router);
}
