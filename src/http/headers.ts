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
  const protect = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: DIRECTIVES },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Apps fetch the key set, userinfo and tokens from other origins; CORS decides there.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    xFrameOptions: { action: 'deny' },
  });
  return async (ctx, next) => {
    await new Promise<void>((resolve, reject) =>
      protect(ctx.req, ctx.res, (error) => (error ? reject(error) : resolve())),
    );
    await next();
  };
}

/** Lets a `form_post` page send its form to the app: the one page whose form leaves this origin. */
export function allowFormTo(policy: string): string {
  return policy.replace(/form-action [^;]*;?/, '');
}
