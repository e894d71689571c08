import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Middleware } from 'koa';
import serve from 'koa-static';
import type { Config } from '../config/schema.ts';

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

function image(key: string, file: string): { type: string; body: Buffer } {
  const type = IMAGE_TYPES[path.extname(file).toLowerCase()];
  if (type === undefined) throw new Error(`${key} must be a PNG, JPEG or WebP file`);
  return { type, body: readFileSync(file) };
}

/** Serves `/`, which is mounted at `<issuer path>/assets`: our files, Pico, and what brand and providers add. */
export function assets(brand: Config['brand'], federation: Config['federation']): Middleware {
  const pico = readFileSync(createRequire(import.meta.url).resolve('@picocss/pico/css/pico.min.css'));
  const generated: Record<string, { type: string; body: Buffer | string }> = {
    '/pico.css': { type: 'css', body: pico },
    '/brand.css': { type: 'css', body: brandCss(brand) },
  };
  if (brand.logo !== undefined) generated['/brand-logo'] = image('brand.logo', brand.logo);
  for (const [name, settings] of Object.entries(federation)) {
    if ('logo' in settings && settings.logo !== undefined)
      generated[`/provider-${name}`] = image(`federation.${name}.logo`, settings.logo);
  }
  const files = serve(PUBLIC, { maxage: MAX_AGE_SECONDS * 1000, index: false });
  return async (ctx, next) => {
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
