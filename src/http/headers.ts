import { promisify } from 'node:util';
import helmet from 'helmet';
import type { Middleware } from 'koa';

const DIRECTIVES = {
  defaultSrc: ["'self'"],
  // Pico draws its ticks and arrows as data: images.
  imgSrc: ["'self'", 'data:'],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  objectSrc: ["'none'"],
};

/**
 * Security headers on every answer. `Referrer-Policy: same-origin` rather than `no-referrer`, with which forms would send
 * `Origin: null`; `form-action` stays `'self'` because no page redirects a POST to another origin.
 */
export function securityHeaders(https: boolean): Middleware {
  const helm = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: DIRECTIVES },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Apps that sign in through a pop-up would lose their window to it.
    crossOriginOpenerPolicy: false,
    xFrameOptions: { action: 'deny' },
  });
  const protect = promisify(helm);
  return async (ctx, next) => {
    await protect(ctx.req, ctx.res);
    await next();
  };
}

/** Lets a `form_post` page send its form to the app: the one page whose form leaves this origin. */
export function allowFormTo(policy: string): string {
  return policy.replace(/form-action [^;]*;?/, '');
}
