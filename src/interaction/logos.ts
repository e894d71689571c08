/** Logos of apps, fetched and served by us: the app's server never sees who signs in, and no page loads from outside. */
import type { Middleware } from 'koa';
import type { Client } from '../clients/client.ts';
import type { Fetched } from '../http/fetch-untrusted.ts';
import type { Logger } from '../kernel/logger.ts';

const MAX_BYTES = 256 * 1024;
const KEPT_MS = 3_600_000;
const FAILURE_KEPT_MS = 60_000;
const MOST_KEPT = 200;
// SVG can carry script: it is not served.
const TYPES = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif']);

interface Needs {
  clients: { find(id: string): Promise<Client | undefined> };
  allowPrivate: boolean;
  log: Logger;
}

/** Serves `/<client_id>`. */
export function logoRoutes({ clients, allowPrivate, log }: Needs): Middleware {
  const kept = new Map<string, { until: number; logo: Fetched | undefined }>();

  async function load(url: string): Promise<Fetched | undefined> {
    const entry = kept.get(url);
    if (entry && entry.until > Date.now()) return entry.logo;
    let logo: Fetched | undefined;
    try {
      // Most installations never fetch a logo: what it takes is loaded when one is asked for.
      const { fetchUntrusted } = await import('../http/fetch-untrusted.ts');
      const fetched = await fetchUntrusted(url, { maxBytes: MAX_BYTES, allowPrivate });
      const type = fetched.type.split(';')[0]!.trim().toLowerCase();
      if (TYPES.has(type)) logo = { ...fetched, type };
      else log.warn({ url, type }, 'a logo is not a PNG, JPEG, WebP or GIF image');
    } catch (error) {
      log.warn({ url, err: error }, 'a logo could not be fetched');
    }
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(url, { until: Date.now() + (logo ? KEPT_MS : FAILURE_KEPT_MS), logo });
    return logo;
  }

  return async (ctx) => {
    // Ids of clients need no decoding.
    const client = await clients.find(ctx.path.slice(1));
    const logo = client?.logo_uri ? await load(client.logo_uri) : undefined;
    if (!logo) return;
    ctx.type = logo.type;
    ctx.set('Cache-Control', 'public, max-age=3600');
    ctx.body = logo.body;
  };
}
