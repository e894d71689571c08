/** For load balancers and orchestrators: alive means the process answers, ready means that its store does too. */
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { routesOf } from '../http/routing.ts';
import { RETRY_AFTER_SECONDS } from '../kernel/errors.ts';

interface Needs {
  storage: { ping(): Promise<void> };
  /** Whether the process was told to stop and is finishing what it has. */
  draining(): boolean;
}

export function healthRoutes({ storage, draining }: Needs): Middleware {
  const router = new Router();
  router.get('/health', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/ready', async (ctx) => {
    const store = await storage.ping().then(
      () => 'ok',
      () => 'unavailable',
    );
    const ready = store === 'ok' && !draining();
    ctx.status = ready ? 200 : 503;
    if (!ready) ctx.set('Retry-After', String(RETRY_AFTER_SECONDS));
    ctx.body = { status: ready ? 'ok' : draining() ? 'draining' : 'unavailable', store };
  });
  return routesOf(router);
}
