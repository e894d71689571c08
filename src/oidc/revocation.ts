import { Provider } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

/**
 * Whether the request under way revokes one access token. The library would end its whole grant with it; a client that
 * hands back one token keeps its others (RFC 7009, section 2.1, leaves that open).
 */
export function revokesOnlyOneToken(ctx: KoaContextWithOIDC | undefined = Provider.ctx): boolean {
  return ctx?.oidc.route === 'revocation' && ctx.oidc.entities.AccessToken !== undefined;
}
