/**
 * Request objects by reference (RFC 9101, section 5.2; OpenID Connect Core, section 6.2), where they are switched on: an address that the client has
 * registered is fetched, and what is there goes on as if it had come by value. An address that it has not is never fetched.
 */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { ClientFetch } from './features.ts';

const PUSHED = 'urn:ietf:params:oauth:request_uri:';
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const LONGEST = 20_000;

interface Needs {
  directory: { metadata(id: string): Promise<object | undefined> };
  clientFetch: ClientFetch;
}

const isSame = (path: string, expected: string) => path.replace(/\/$/, '').toLowerCase() === expected;

/** The request object at an address; undefined where there is none, in which case the library says that the address is no good. */
async function objectAt(uri: string, fetch: ClientFetch): Promise<string | undefined> {
  try {
    const response = await fetch(uri, { headers: { accept: 'application/oauth-authz-req+jwt, application/jwt' } });
    const text = response.status === 200 ? (await response.text()).trim() : '';
    return text.length <= LONGEST && JWT_SHAPE.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

export function fetchRequestObjects(provider: Provider, { directory, clientFetch }: Needs) {
  const path = provider.pathFor('authorization', { mountPath: '' });

  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const query = new URLSearchParams(ctx.querystring);
    const [uri, ...others] = query.getAll('request_uri');
    const isReference = uri !== undefined && others.length === 0 && !uri.startsWith(PUSHED) && !query.has('request');
    if (isReference && isSame(ctx.path, path)) {
      const client = await directory.metadata(query.get('client_id') ?? '');
      const registered = (client as { registered_requests?: string[] } | undefined)?.registered_requests;
      const found = registered?.includes(uri) ? await objectAt(uri, clientFetch) : undefined;
      if (found !== undefined) {
        query.delete('request_uri');
        query.set('request', found);
        ctx.querystring = query.toString();
      }
    }
    await next();
  };
}

/** What the library, which fetches none, says otherwise. */
export const nameRequestUris = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
  await next();
  if (!ctx.path.startsWith('/.well-known/')) return;
  const metadata = ctx.body as Record<string, unknown> | undefined;
  if (metadata?.['request_uri_parameter_supported'] === undefined) return;
  Object.assign(metadata, { request_uri_parameter_supported: true, require_request_uri_registration: true });
};
