/** The answer with the public key set. */
import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { KeySetFetches } from '../keys/fetches.ts';
import type { LiveKeys } from '../keys/live-keys.ts';

interface Needs {
  config: { keys: { cache: number } };
  liveKeys: Pick<LiveKeys, 'fresh'>;
  keySetFetches: Pick<KeySetFetches, 'note'>;
  clientAddress: (req: IncomingMessage) => string;
}

/** Says how long the key set may be kept: shorter than a new key is published before it signs. Notes who fetched it. */
export const cacheKeySet =
  ({ config, liveKeys, keySetFetches, clientAddress }: Needs) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
    if (oidc?.route !== 'jwks' || ctx.status !== 200) return;
    // While the store is away a key may have been added of which we know nothing.
    ctx.set('Cache-Control', liveKeys.fresh() ? `public, max-age=${config.keys.cache}` : 'no-cache');
    keySetFetches.note({ address: clientAddress(ctx.req), user_agent: ctx.get('User-Agent') });
  };
