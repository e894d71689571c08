/** The middleware of a router that is one of many. */
import type Router from '@koa/router';
import type { Middleware } from 'koa';

const firstSegment = (path: string) => (path.split('/', 2)[1] ?? '').toLowerCase();

/**
 * What begins as none of the router's paths passes it in one step: a router tries each of its paths, and each request comes past
 * eight routers, of which one answers. To be called when all routes are there.
 */
export function routesOf(router: Router): Middleware {
  const routes = router.routes() as unknown as Middleware;
  const own = router.stack.filter(({ methods }) => methods.length > 0).map(({ path }) => firstSegment(String(path)));
  // A path that begins with a parameter may begin with anything.
  if (!own.every((segment) => /^[\w.-]*$/.test(segment))) return routes;
  const firsts = new Set(own);
  return async (ctx, next) => {
    await (firsts.has(firstSegment(ctx.path)) ? routes(ctx, next) : next());
  };
}
