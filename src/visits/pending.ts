/**
 * Authorization requests that were made and not answered yet. They wait in the browser that makes them, sealed: whoever only looks
 * at the page, and be it a thousand times, leaves nothing in the store.
 */
import type { Context } from 'koa';
import { epochSeconds } from '../kernel/clock.ts';
import type { Vault } from '../kernel/secrets.ts';

export interface Pending {
  state: string;
  nonce: string;
  code_verifier: string;
  return_to: string;
  max_age: number | undefined;
  /** Epoch seconds. */
  begun_at: number;
}

/** Several tabs have one each; the oldest goes first. */
const MOST = 5;
/** Seconds that a person may take to sign in. */
const LIFE = 86_400;
/** Characters of the cookie's value: browsers drop longer ones. */
const LONGEST = 3500;

export interface PendingRequests {
  add(ctx: Context, request: Pending): void;
  /** Takes the request with this state out, if this browser made it. */
  take(ctx: Context, state: string): Pending | undefined;
}

interface Needs {
  vault: Pick<Vault, 'seal' | 'open'>;
  https: boolean;
  /** Name of the place's cookie. */
  cookie: string;
}

export function createPendingRequests({ vault, https, cookie }: Needs) {
  const name = `${https ? '__Host-' : ''}${cookie}_pending`;
  // Bound to the place: what was begun at one is not finished at another.
  const context = `sign-in to ${cookie}`;
  const options = { signed: false, httpOnly: true, sameSite: 'lax', secure: https, path: '/' } as const;

  function read(ctx: Context): Pending[] {
    try {
      const sealed = Buffer.from(ctx.cookies.get(name, { signed: false }) ?? '', 'base64url');
      const all = JSON.parse(vault.open(sealed, context)) as Pending[];
      return all.filter(({ begun_at }) => begun_at > epochSeconds() - LIFE);
    } catch {
      return []; // none, or none of ours
    }
  }

  function write(ctx: Context, requests: Pending[]): void {
    const value = vault.seal(JSON.stringify(requests), context).toString('base64url');
    if (value.length > LONGEST && requests.length > 1) return write(ctx, requests.slice(1));
    ctx.cookies.set(name, requests.length > 0 ? value : null, options);
  }

  return {
    add: (ctx, request) => write(ctx, [...read(ctx), request].slice(-MOST)),
    take(ctx, state) {
      const all = read(ctx);
      const found = all.find((request) => request.state === state);
      if (found)
        write(
          ctx,
          all.filter((request) => request !== found),
        );
      return found;
    },
  } satisfies PendingRequests;
}
