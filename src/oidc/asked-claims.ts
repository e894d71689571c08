/**
 * The `claims` parameter (OpenID Connect Core, section 5.5): single claims that an app asks for beside its scopes. What a scope of the request
 * covers goes out with that scope, in ID token and userinfo alike; the others are shown to the person one by one.
 */
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { CLAIMS_BY_SCOPE } from './claims.ts';

/** About the sign-in itself: no account claim, nothing to allow. */
const OF_SIGN_IN = new Set(CLAIMS_BY_SCOPE['openid']);
const SCOPE_OF = new Map(
  Object.entries(CLAIMS_BY_SCOPE).flatMap(([scope, names]) =>
    scope === 'openid' ? [] : names.map((name) => [name, scope] as const),
  ),
);

const words = (text: unknown) => (typeof text === 'string' ? text.split(' ').filter(Boolean) : []);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The scope whose claim it is, under which people know it. */
export const scopeOfClaim = (name: string): string | undefined => SCOPE_OF.get(name);

/** Cuts the parameter down to what is known, is not covered by a scope of the request, and is of a scope that the client may ask for. */
export function keepKnownClaims({ oidc }: KoaContextWithOIDC, asked: object, client: Pick<Client, 'scope'>): void {
  const params = oidc.params as Record<string, unknown>;
  const requested = words(params['scope']);
  const allowed = client.scope === undefined ? undefined : words(client.scope);
  const isKept = (name: string) => {
    const scope = SCOPE_OF.get(name);
    if (scope === undefined) return OF_SIGN_IN.has(name);
    return !requested.includes(scope) && allowed?.includes(scope) !== false;
  };
  const kept = Object.entries(asked).flatMap(([target, claims]) => {
    if ((target !== 'id_token' && target !== 'userinfo') || !isObject(claims)) return [];
    const names = Object.entries(claims).filter(([name, how]) => isKept(name) && (how === null || isObject(how)));
    return names.length > 0 ? [[target, Object.fromEntries(names)]] : [];
  });
  params['claims'] = kept.length > 0 ? JSON.stringify(Object.fromEntries(kept)) : undefined;
}

/** The single claims of an account that a request asks for, after `keepKnownClaims`. */
export function claimsAsked(claims: unknown): string[] {
  if (typeof claims !== 'string') return [];
  const targets = Object.values(JSON.parse(claims) as Record<string, object>);
  return [...new Set(targets.flatMap((target) => Object.keys(target)))].filter((name) => SCOPE_OF.has(name));
}
