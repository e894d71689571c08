/** A session of one room: `koa-session` with what it holds on the server, encrypted, where every process finds it. */
import createSession from 'koa-session';
import type { Middleware } from 'koa';
import { newId } from '../kernel/ids.ts';

interface Needs {
  records: {
    find(kind: string, id: string): Promise<Record<string, unknown> | undefined>;
    upsert(kind: string, id: string, payload: Record<string, unknown>, ttl: number): Promise<void>;
    destroy(kind: string, id: string): Promise<void>;
  };
  /** Kind of its records. */
  kind: string;
  /** Name of its cookie, without prefix. */
  cookie: string;
  https: boolean;
  /** Seconds since its last change. */
  ttl: () => number;
}

/** `ctx.session` for the routes behind it, and only for them. */
export function roomSession({ records, kind, cookie, https, ttl }: Needs): Middleware {
  // koa-session gives one app one session, on the prototype of its contexts. So it gets an app of its own, and each request
  // borrows what it put there: rooms have sessions of their own, and the rest of the program has none.
  const holder = { context: {}, use: () => undefined };
  const session = createSession(
    {
      key: `${https ? '__Host-' : ''}${cookie}`,
      // Read anew with each request, and set by the library to what it has read first.
      get maxAge() {
        return ttl() * 1000;
      },
      set maxAge(_first) {},
      renew: true,
      signed: true,
      httpOnly: true,
      sameSite: 'lax',
      secure: https,
      genid: () => newId(),
      store: {
        get: async (id) => (await records.find(kind, id))?.['session'],
        set: (id, value) => records.upsert(kind, id, { session: value as unknown }, ttl()),
        destroy: (id) => records.destroy(kind, id),
      },
    },
    holder,
  );
  const members = Object.getOwnPropertyDescriptors(holder.context);
  return (ctx, next) => session(Object.defineProperties(ctx, members), next);
}
