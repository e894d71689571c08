/** A mark by which a browser that was sent away is known when it comes back. */
import type { Context } from 'koa';
import { newId } from '../kernel/ids.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';

export interface BrowserMark {
  /** The mark of this browser, set where there is none. */
  of(ctx: Context): string;
  is(ctx: Context, mark: string): boolean;
}

/**
 * The cookie of an interaction is sent to its own path alone, which a callback is not on, so the browser gets a mark of its own.
 * Lax: it comes along when the upstream sends the browser back.
 */
export function createBrowserMark(https: boolean): BrowserMark {
  const name = `${https ? '__Host-' : ''}gatehouse_upstream`;
  const read = (ctx: Context) => ctx.cookies.get(name, { signed: true });
  return {
    of(ctx) {
      const mark = read(ctx) ?? newId();
      ctx.cookies.set(name, mark, { signed: true, httpOnly: true, sameSite: 'lax', secure: https, path: '/' });
      return mark;
    },
    is: (ctx, mark) => constantTimeEqual(read(ctx) ?? '', mark),
  };
}
