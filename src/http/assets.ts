import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import serve from 'koa-static';
import type { Config } from '../config/schema.ts';
import type { Themes } from './themes.ts';

const PUBLIC = path.resolve(import.meta.dirname, '../../public');
const MAX_AGE_SECONDS = 3600;
const IMAGE_TYPES: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

/** The brand's colours laid over the theme. */
function brandCss({ accent, accent_dark }: Config['brand']): string {
  const light = accent ? `:root { --gh-accent: ${accent}; }\n` : '';
  const dark = accent_dark
    ? `@media (prefers-color-scheme: dark) { :root:not([data-theme='light']) { --gh-accent: ${accent_dark}; } }\n`
    : '';
  return light + dark;
}

/** As the colours are now: they may be set at any time. */
async function colours(ctx: Context, brand: Config['brand']): Promise<void> {
  const css = brandCss(brand);
  ctx.type = 'css';
  ctx.set('Cache-Control', 'no-cache');
  ctx.etag = hash('sha256', css, 'base64url');
  ctx.body = css;
  if (ctx.fresh) ctx.status = 304;
}

function image(key: string, file: string): { type: string; body: Buffer } {
  const type = IMAGE_TYPES[path.extname(file).toLowerCase()];
  if (type === undefined) throw new Error(`${key} must be a PNG, JPEG or WebP file`);
  return { type, body: readFileSync(file) };
}

const THEME_FILE = /^\/themes\/([a-z0-9-]+)\/(theme\.css|assets\/[\w./-]+\.(?:css|png|jpe?g|webp|avif|gif|woff2))$/;

const folder = (root: string) => serve(root, { maxage: MAX_AGE_SECONDS * 1000, index: false });

/** Style sheets, pictures and fonts of themes. No scripts: our pages run only our own. */
function themeFiles(themes: Themes): Middleware {
  const folders = new Map(themes.all.map((theme) => [theme.name, folder(theme.folder)]));
  return async (ctx, next) => {
    const [, name = '', file = ''] = THEME_FILE.exec(ctx.path) ?? [];
    const files = folders.get(name);
    if (files) {
      ctx.path = `/${file}`;
      await files(ctx, async () => undefined);
    } else await next();
  };
}

/** Serves `/`, which is mounted at `<issuer path>/assets`: our files, Pico, and what brand, themes and providers add. */
export function assets(brand: Config['brand'], federation: Config['federation'], themes: Themes): Middleware {
  const { resolve } = createRequire(import.meta.url);
  const pico = readFileSync(resolve('@picocss/pico/css/pico.min.css'));
  // The one file of it that a browser takes as it is; the package exports only its parts.
  const webauthn = readFileSync(path.join(resolve('@simplewebauthn/browser'), '../../dist/bundle/index.umd.min.js'));
  const htmx = readFileSync(path.join(resolve('htmx.org'), '../htmx.min.js'));
  const generated: Record<string, { type: string; body: Buffer | string }> = {
    '/pico.css': { type: 'css', body: pico },
    '/htmx.js': { type: 'js', body: htmx },
    '/webauthn.js': { type: 'js', body: webauthn },
  };
  if (brand.logo !== undefined) generated['/brand-logo'] = image('brand.logo', brand.logo);
  for (const { name, logo } of themes.all) {
    if (logo !== null) generated[`/themes/${name}/logo`] = image('the theme’s logo', logo);
  }
  for (const [name, settings] of Object.entries(federation)) {
    if ('logo' in settings && settings.logo !== undefined)
      generated[`/provider-${name}`] = image(`federation.${name}.logo`, settings.logo);
  }
  const files = compose([themeFiles(themes), folder(PUBLIC)]);
  return async (ctx, next) => {
    if (ctx.path === '/brand.css') return colours(ctx, brand);
    const asset = generated[ctx.path];
    if (!asset) {
      await files(ctx, next);
      return;
    }
    ctx.type = asset.type;
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
    ctx.body = asset.body;
  };
}
