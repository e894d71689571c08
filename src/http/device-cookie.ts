/** The cookie by which a browser is known again: signed, and readable by nobody but us. */
import type { Context } from 'koa';

/** Marks are ids of ours; anything else in the cookie is no mark. */
const MARK = /^[\w-]{22}$/;

/** Of browsers in which a second factor was proved. */
export const REMEMBERED_COOKIE = 'gatehouse_remembered';

export interface DeviceCookie {
  /** The marks that the browser sent back, none where it sent none that we signed. */
  read(ctx: Context): string[];
  write(ctx: Context, marks: string[]): void;
}

interface Settings {
  https: boolean;
  /** Seconds the browser keeps it. */
  ttl: number;
  name?: string;
}

export function createDeviceCookie({ https, ttl, name: plain = 'gatehouse_device' }: Settings): DeviceCookie {
  const name = `${https ? '__Host-' : ''}${plain}`;
  const options = { signed: true, httpOnly: true, sameSite: 'lax', secure: https, path: '/' } as const;
  return {
    read: (ctx) => (ctx.cookies.get(name, { signed: true }) ?? '').split('.').filter((mark) => MARK.test(mark)),
    write: (ctx, marks) => void ctx.cookies.set(name, marks.join('.'), { ...options, maxAge: ttl * 1000 }),
  };
}
