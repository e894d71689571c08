import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
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

/** What helmet sets, asked once: none of it depends on the request. */
function fixedHeaders(https: boolean): [name: string, value: string][] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const protect = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: DIRECTIVES },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // Apps that sign in through a pop-up would lose their window to it.
    crossOriginOpenerPolicy: false,
    xFrameOptions: { action: 'deny' },
  });
  protect(response.req, response, (error) => {
    if (error instanceof Error) throw error;
  });
  return response.getHeaderNames().map((name) => [name, String(response.getHeader(name))]);
}

/**
 * Security headers on every answer. `Referrer-Policy: same-origin` rather than `no-referrer`, with which forms would send
 * `Origin: null`; `form-action` stays `'self'` because no page redirects a POST to another origin.
 */
export function securityHeaders(https: boolean): Middleware {
  const headers = fixedHeaders(https);
  return (ctx, next) => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value);
    return next();
  };
}

/** What of it means anything to a program, and to a browser that is led to show a program's answer. */
const FOR_PROGRAMS = new Set([
  'content-security-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
]);

/** The security headers of endpoints that only programs ask. */
export const programHeaders = (https: boolean): [name: string, value: string][] =>
  fixedHeaders(https).filter(([name]) => FOR_PROGRAMS.has(name.toLowerCase()));

/** Lets a page show frames of just these addresses. */
export function allowFrames(policy: string, urls: string[]): string {
  const origins = [...new Set(urls.map((url) => new URL(url).origin))];
  return `${policy};frame-src ${origins.join(' ')}`;
}
