/**
 * `/signed-out/<ticket>`: what became of the apps after a log-out, live, and then on to the app that asked for it. Nothing here
 * ends anything: deliveries go on whether somebody looks or not, and nobody is held up by an app that does not answer.
 */
import { setTimeout as wait } from 'node:timers/promises';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { ContinueTo } from '../http/continue.ts';
import { allowFrames } from '../http/headers.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import { displayHost } from '../kernel/urls.ts';
import type { Receipt, Receipts } from '../logout/receipts.ts';

/** Most apps answer at once: so long the page waits for them, before it is shown at all. */
const GLANCES = 5;
const GLANCE_MS = 100;
/** So long somebody who is on the way to an app is kept here, in seconds, and no longer. */
const KEPT_SECONDS = 3;
/** So long the page looks again by itself. */
const WATCHED_SECONDS = 60;
const AGAIN_SECONDS = 2;
/** Frames are given time to load; looking again would open them anew. */
const FRAMES_SECONDS = 4;

interface Needs {
  receipts: Pick<Receipts, 'read'>;
  render: Render;
  continueTo: ContinueTo;
}

const isTelling = ({ apps }: Receipt) => apps.some(({ state }) => state === 'telling');
const isOpen = ({ apps }: Receipt) => apps.some(({ state }) => state === 'telling' || state === 'silent');

export function signedOutRoutes({ receipts, render, continueTo }: Needs): Middleware {
  async function afterGlances(ticket: string): Promise<Receipt | undefined> {
    let receipt = await receipts.read(ticket);
    for (let glance = 1; glance < GLANCES && receipt && isTelling(receipt); glance += 1) {
      await wait(GLANCE_MS);
      receipt = await receipts.read(ticket);
    }
    return receipt;
  }

  async function show(ctx: Context, receipt: Receipt | undefined, again: boolean): Promise<void> {
    const apps = receipt?.apps ?? [];
    const next = receipt?.continue_to;
    const frames = again ? [] : apps.flatMap((app) => app.frames);
    const waits = receipt !== undefined && (isTelling(receipt) || frames.length > 0);
    if (next !== undefined && (!waits || (again && receipt.age >= KEPT_SECONDS))) return continueTo(ctx, next);

    const looks = receipt !== undefined && (next !== undefined || (isOpen(receipt) && receipt.age < WATCHED_SECONDS));
    const answered = apps.filter(({ state }) => state === 'confirmed').length;
    const told = apps.filter(({ state }) => !['asked', 'untold'].includes(state)).length;
    const poll = looks
      ? { seconds: frames.length > 0 ? FRAMES_SECONDS : AGAIN_SECONDS, url: `${ctx.path}?again=1` }
      : null;
    const host = displayHost(next);
    await render(
      ctx,
      'interaction/signed-out',
      { apps, frames, answered, told, continue_to: next ?? null, host, again: ctx.path, poll },
      { title: ['signed_out.title'], ...(poll ? { poll } : {}) },
    );
    const policy = ctx.response.get('Content-Security-Policy');
    if (frames.length > 0) ctx.set('Content-Security-Policy', allowFrames(policy, frames));
  }

  const router = new Router();
  router.get('/signed-out/:ticket', async (ctx) => {
    const { ticket } = ctx['params'] as { ticket: string };
    const again = ctx.query['again'] !== undefined;
    await show(ctx, await (again ? receipts.read(ticket) : afterGlances(ticket)), again);
  });
  return routesOf(router);
}
