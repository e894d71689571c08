/** Pages for sign-ins that cannot go on: expired, overtaken in another tab, gone back to, or without cookies. */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Csrf } from '../http/csrf.ts';
import type { Render } from '../http/render.ts';
import { newReference } from '../kernel/ids.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Restart, Restarts } from '../oidc/restarts.ts';
import { homeUrl, themeOf } from './journey.ts';

export type DeadEndReason = 'expired' | 'cookies' | 'upstream_over' | 'upstream_elsewhere';

/** For the admin: what came in, and what was expected. */
const EXPLAINED: Record<DeadEndReason | 'finished', Record<string, string>> = {
  expired: {
    problem: 'the sign-in is over: it took too long, was finished elsewhere, or belongs to another browser',
    expected: 'an open sign-in of this browser (lifetimes.interaction)',
    came: 'the cookie of none that is open',
  },
  cookies: {
    problem: 'the browser sent no cookies',
    expected: 'the cookie of the sign-in',
    came: 'no Cookie header: cookies are blocked, or the page is in a frame of another site',
  },
  upstream_over: { problem: 'the answer of the other provider came to a sign-in that is over' },
  upstream_elsewhere: {
    problem: 'the answer of the other provider came to another browser than the one that was sent',
  },
  finished: { problem: 'the sign-in is finished: its page was opened once more' },
};

interface Needs {
  provider: Provider;
  restarts: Restarts;
  csrf: Pick<Csrf, 'token' | 'hasCookie'>;
  render: Render;
  base: string;
  /** Keeps what came in for the admin who is told the reference code. */
  note(ctx: Context, refusal: { reference: string; client: string | undefined; detail: Record<string, string> }): void;
}

export function createDeadEnds({ provider, restarts, csrf, render, base, note }: Needs) {
  /** Whether this browser sent the request: a link to somebody else's sign-in begins nothing. */
  const isOwn = (ctx: Context, { browser }: Restart) =>
    csrf.hasCookie(ctx) && constantTimeEqual(csrf.token(ctx), browser);

  /** Says what happened and offers to begin again, or to go to the app when the sign-in is done. */
  async function show(ctx: Context, reason: DeadEndReason, uid: string): Promise<void> {
    const restart = uid === '' ? undefined : await restarts.find(uid);
    const client = restart && (await provider.Client.find(restart.clientId));
    const shown = restart?.finished ? 'finished' : reason;
    const page = {
      reason: shown,
      client_name: client ? (client.clientName ?? client.clientId) : null,
      restart_url: client && shown !== 'finished' && isOwn(ctx, restart) ? `${base}/interaction/${uid}/restart` : null,
      home_url: client ? homeUrl(client, provider.issuer) : null,
    };
    const reference = newReference();
    note(ctx, { reference, client: restart?.clientId, detail: { at: 'sign-in', ...EXPLAINED[shown] } });
    await render(ctx, 'interaction/dead-end', page, {
      reference,
      title: [`dead_end.${shown}.title`],
      status: 400,
      theme: themeOf(client),
    });
  }

  /** Sends the person through the remembered authorization request once more. */
  async function restart(ctx: Context, uid: string): Promise<void> {
    const remembered = await restarts.find(uid);
    if (!remembered || !isOwn(ctx, remembered)) return show(ctx, 'expired', uid);
    ctx.status = 303;
    ctx.redirect(remembered.device ? `${base}/device` : `${base}/auth?${remembered.query}`);
  }

  return { show, restart };
}
