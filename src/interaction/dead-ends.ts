/** Pages for sign-ins that cannot go on: expired, overtaken in another tab, gone back to, or without cookies. */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Csrf } from '../http/csrf.ts';
import type { Render } from '../http/render.ts';
import { constantTimeEqual } from '../kernel/secrets.ts';
import type { Restart, Restarts } from '../oidc/restarts.ts';
import { homeUrl, themeOf } from './journey.ts';

export type DeadEndReason = 'expired' | 'cookies' | 'upstream_over' | 'upstream_elsewhere';

interface Needs {
  provider: Provider;
  restarts: Restarts;
  csrf: Pick<Csrf, 'token' | 'hasCookie'>;
  render: Render;
  base: string;
}

export function createDeadEnds({ provider, restarts, csrf, render, base }: Needs) {
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
    await render(ctx, 'interaction/dead-end', page, {
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
