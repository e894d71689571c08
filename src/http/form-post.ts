/**
 * The answer to an app as a form that the browser posts to it (OAuth 2.0 Form Post Response Mode). The library writes a bare page with a
 * script inside; in its place goes one of ours, in the person's language, which has a button for whoever runs no scripts, and under a
 * policy of its own: no script but our files, and this form to the app alone.
 */
import type { Context, Middleware } from 'koa';
import { displayHost } from '../kernel/urls.ts';
import type { Render } from './render.ts';

const ACTION = /<form method="post" action="([^"]*)">/;
const FIELD = /<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g;
const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };

const plain = (html: string): string => html.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity]!);

/**
 * Where the form may go. Browsers apply it to the redirects that follow too, and where an app sends its people after it took the answer is
 * its own business: from https anywhere with https.
 */
function destinations(action: string): string {
  const { protocol, origin } = new URL(action);
  if (protocol === 'https:') return 'https:';
  return protocol === 'http:' ? `${origin} https:` : protocol;
}

/** What the library's page says, or undefined where it is none. */
function read(body: unknown): { action: string; fields: [name: string, value: string][] } | undefined {
  const [, action] = (typeof body === 'string' && ACTION.exec(body)) || [];
  if (action === undefined) return undefined;
  const fields = [...(body as string).matchAll(FIELD)].map(([, name, value]): [string, string] => [
    name!,
    plain(value!),
  ]);
  return { action: plain(action), fields };
}

/** @returns the middleware around the engine that does it. */
export const formPost =
  (render: Render): Middleware =>
  async (ctx: Context, next) => {
    const policy = ctx.response.get('Content-Security-Policy');
    await next();
    const { params } = (ctx as { oidc?: { params?: { response_mode?: string } } }).oidc ?? {};
    if (!params?.response_mode?.startsWith('form_post') || ctx.type !== 'text/html') return;
    const answer = read(ctx.body);
    if (!answer) return;
    const { status } = ctx;
    const page = { ...answer, host: displayHost(answer.action) };
    await render(ctx, 'http/form-post', page, { title: ['continue.title'], status, moving: true });
    ctx.set(
      'Content-Security-Policy',
      policy.replace(/form-action [^;]*/, `form-action ${destinations(answer.action)}`),
    );
  };
