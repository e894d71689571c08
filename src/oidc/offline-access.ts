import { decodeJwt } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';

const words = (text: unknown) => (typeof text === 'string' ? text.split(' ') : []);

/** The scope as the client sent it: pushed before (RFC 9126), signed, in the body or in the query. */
function requestedScope({ method, query, oidc }: KoaContextWithOIDC): unknown {
  const pushed = oidc.entities.PushedAuthorizationRequest;
  if (pushed) return decodeJwt(pushed.request)['scope'];
  const sent = method === 'POST' ? oidc.body : query;
  // A signed request (RFC 9101), which the library has verified by now, counts alone.
  const { request } = sent ?? {};
  return typeof request === 'string' ? decodeJwt(request)['scope'] : sent?.['scope'];
}

/**
 * The library drops `offline_access` from requests without `prompt=consent`. OpenID Connect Core, section 11, asks for that
 * "unless other conditions for processing the request permitting offline access are in place": here they are, since the
 * person is asked wherever they have not allowed it before. So the scope is put back, where the client may have it.
 */
export function restoreOfflineAccess(ctx: KoaContextWithOIDC): void {
  const { oidc } = ctx;
  const requested = words(requestedScope(ctx));
  const params = oidc.params!;
  const client = oidc.client!;
  if (!requested.includes('offline_access') || words(params['scope']).includes('offline_access')) return;
  const allowed = client.scope === undefined || words(client.scope).includes('offline_access');
  if (allowed && client.grantTypeAllowed('refresh_token'))
    params['scope'] = [...words(params['scope']), 'offline_access'].join(' ');
}
