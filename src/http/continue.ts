/**
 * Chromium applies `form-action` to the whole redirect chain of a form, so no POST is answered with a redirect that may end
 * at another origin: it is answered with a page that goes on by itself, and has a link for whoever it does not.
 */
import type { Context, Middleware } from 'koa';
import { displayHost } from '../kernel/urls.ts';
import type { Render } from './render.ts';

export type ContinueTo = (ctx: Context, url: string, host?: string | null) => Promise<void>;

/** @returns a function that answers 200 with a refresh to `url`; `host` is shown as the destination. */
export const createContinueTo =
  (render: Render): ContinueTo =>
  async (ctx, url, host = displayHost(url)) => {
    await render(ctx, 'http/continue', { url, host }, { title: ['continue.title'], refresh: url });
    ctx.set('Refresh', `0;url=${url}`);
  };

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Turns a redirect to another origin that answers a POST (the library's log-out form) into such a page. */
export const noRedirectAfterPost =
  ({ issuer, continueTo }: { issuer: string; continueTo: ContinueTo }): Middleware =>
  async (ctx, next) => {
    await next();
    const location = ctx.response.get('Location');
    if (ctx.method !== 'POST' || !REDIRECTS.has(ctx.status) || !location) return;
    if (new URL(location, issuer).origin === new URL(issuer).origin) return;
    ctx.remove('Location');
    await continueTo(ctx, location);
  };
