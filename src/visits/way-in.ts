/** How somebody gets in: to the provider like in any app, back with an answer, or to a page that says why nobody is signed in. */
import type { Context } from 'koa';
import { inProcessFetch } from '../http/in-process.ts';
import type { InProcessHandler } from '../http/in-process.ts';
import type { Render } from '../http/render.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { Sessions } from '../oidc/sessions.ts';
import { callbackUrl } from './client.ts';
import { createPendingRequests } from './pending.ts';
import { homeOf } from './place.ts';
import type { Place } from './place.ts';
import { createRelyingParty } from './relying-party.ts';
import type { Asked } from './relying-party.ts';
import { renewSession, sessionOf } from './session.ts';
import { carriedOver } from './unfinished.ts';

interface Needs {
  issuer: string;
  place: Place;
  sessions: Pick<Sessions, 'ofBrowser'>;
  vault: Pick<Vault, 'seal' | 'open'>;
  render: Render;
  /** The whole app's request handler, asked for when it is first needed. */
  handle: () => InProcessHandler;
}

export interface WayIn {
  signIn(ctx: Context, asked: Asked): Promise<void>;
  /** Answers the provider's answer. */
  comeBack(ctx: Context): Promise<void>;
  /** A page outside: why nobody is signed in, and the way back. */
  outside(ctx: Context, reason: string, status: number): Promise<void>;
}

export const goTo = (ctx: Context, target: string) => {
  ctx.status = 303;
  ctx.redirect(target);
};

export function createWayIn({ issuer, place, sessions, vault, render, handle }: Needs): WayIn {
  const party = createRelyingParty({
    issuer,
    clientId: place.client,
    callback: callbackUrl(issuer, place),
    fetch: inProcessFetch({ issuer, handle }),
  });
  const pendings = createPendingRequests({ vault, https: issuer.startsWith('https:'), cookie: place.cookie });

  async function signIn(ctx: Context, asked: Asked): Promise<void> {
    const { url: target, pending } = await party.begin(asked);
    pendings.add(ctx, pending);
    goTo(ctx, target);
  }

  const outside = (ctx: Context, reason: string, status: number) =>
    render(
      ctx,
      `${place.views}/outside`,
      { reason, sign_in_url: homeOf(issuer, place) },
      { title: [place.words.outside(reason)], status },
    );

  async function comeBack(ctx: Context): Promise<void> {
    const query = new URLSearchParams(ctx.querystring);
    const states = query.getAll('state');
    const [state = ''] = states;
    const request = states.length === 1 ? pendings.take(ctx, state) : undefined;
    if (!request) return outside(ctx, 'failed', 400);
    const arrived = await party.redeem(request, query);
    const own = await sessions.ofBrowser(ctx);
    // Somebody else signed in here while the answer was on its way: it is not theirs.
    if (!arrived || own?.account_id !== arrived.account_id) return outside(ctx, 'failed', 400);
    await renewSession(ctx, {
      signed_in: { ...arrived, uid: own.uid },
      ...carriedOver(sessionOf(ctx), arrived.account_id, request.return_to),
    });
    goTo(ctx, request.return_to);
  }

  return { signIn, comeBack, outside };
}
