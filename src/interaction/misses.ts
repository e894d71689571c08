import type { Context, Middleware } from 'koa';
import type { GuessKind, Limits } from '../limits/limits.ts';
import type { Visitor } from './visitor.ts';

const REFUSED = 400;

interface Needs {
  limits: Pick<Limits, 'reserve'>;
  visitor: Pick<Visitor, 'keys'>;
}

/** Limits addresses that hold a secret, by the caller's address: an answer of 400 is a wrong guess. */
export const countMisses =
  ({ limits, visitor }: Needs, kind: GuessKind): Middleware =>
  async (ctx: Context, next) => {
    const reserved = await limits.reserve(kind, await visitor.keys(ctx));
    try {
      await next();
    } catch (error) {
      await reserved.release();
      throw error;
    }
    await (ctx.status === REFUSED ? reserved.wrong() : reserved.right());
  };
