import type { Context } from 'koa';
import { isGatehouseError, minutes } from '../kernel/errors.ts';

/**
 * Runs `work`. Where limits refuse it, `show` draws the same form again with what was typed, and the answer says when to come back.
 * @param show gets the minutes to wait; its page has the status 429.
 */
export async function orWait(
  ctx: Context,
  work: () => Promise<void>,
  show: (minutes: number) => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isGatehouseError(error, 'limited')) throw error;
    ctx.set('Retry-After', String(error.retryAfter));
    await show(minutes(error));
  }
}
