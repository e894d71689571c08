/** The caller of each request, for whatever that request leads to: rooms that know nothing of HTTP note down who it was. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Middleware } from 'koa';
import type { Caller, CurrentCaller } from '../kernel/caller.ts';
import type { ClientAddress } from './client-address.ts';

const USER_AGENT_MAX = 300;

export interface Callers {
  current: CurrentCaller;
  middleware: Middleware;
}

export function createCallers(clientAddress: ClientAddress): Callers {
  const callers = new AsyncLocalStorage<Caller>();
  return {
    current: () => callers.getStore(),
    middleware(ctx, next) {
      const user_agent = (ctx.req.headers['user-agent'] ?? '').slice(0, USER_AGENT_MAX);
      return callers.run({ address: clientAddress(ctx.req), user_agent }, next);
    },
  };
}
