/** The caller of each request, for whatever that request leads to: rooms that know nothing of HTTP note down who it was. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Middleware } from 'koa';
import type { Caller, CurrentCaller } from '../kernel/caller.ts';
import type { Afterwards } from './afterwards.ts';
import type { ClientAddress } from './client-address.ts';

const USER_AGENT_MAX = 300;

export interface Callers {
  current: CurrentCaller;
  /** The request under way, where there is one. */
  context(): Context | undefined;
  /** Does it when the request under way is answered; at once where there is none. Still of that caller. */
  afterAnswer(work: () => Promise<void>): void;
  /** From here on the request under way is known to be made by somebody. */
  actAs(by: NonNullable<Caller['by']>): void;
  middleware(needs: { clientAddress: ClientAddress; afterwards: Afterwards }): Middleware;
}

interface Request {
  caller: Caller;
  ctx: Context;
  afterwards: Afterwards;
}

export function createCallers(): Callers {
  const requests = new AsyncLocalStorage<Request>();
  return {
    current: () => requests.getStore()?.caller,
    context: () => requests.getStore()?.ctx,
    actAs(by) {
      const request = requests.getStore();
      if (request) request.caller = { ...request.caller, by };
    },
    afterAnswer(work) {
      const request = requests.getStore();
      if (request) request.afterwards.after(request.ctx, work);
      else void work();
    },
    middleware:
      ({ clientAddress, afterwards }) =>
      (ctx, next) => {
        const user_agent = (ctx.req.headers['user-agent'] ?? '').slice(0, USER_AGENT_MAX);
        const caller = { address: clientAddress(ctx.req), user_agent };
        return requests.run({ caller, ctx, afterwards }, next);
      },
  };
}
