import { isDeepStrictEqual } from 'node:util';

/**
 * Consents: what a person allowed an app to see, remembered. A record of its own: grants die at log-out and at reuse, the
 * memory of a consent does not. It is withdrawn by deleting it.
 */
export interface Consent {
  account_id: string;
  client_id: string;
  /** OpenID Connect scopes allowed. */
  scopes: string[];
  /** Optional scopes the person left unticked: not asked again, never given. */
  declined: string[];
  /** Scopes allowed per resource indicator (RFC 8707). */
  resources: Record<string, string[]>;
  /** Single claims allowed beside the scopes; missing where there are none. */
  claims?: string[];
  created_at: string;
  updated_at: string;
  /** When the app last got tokens by it, to the hour; missing before the first time and in older records. */
  last_used_at?: string;
}

/** Whether both allow and decline the same, whenever they were given. */
export const saysTheSame = (one: Consent, other: Consent): boolean =>
  isDeepStrictEqual([one.scopes, one.declined, one.resources], [other.scopes, other.declined, other.resources]);

/** What one authorization request asks for, or what of it is new. */
export interface ConsentRequest {
  scopes: string[];
  resources: Record<string, string[]>;
  /** Single claims beside the scopes. */
  claims: string[];
}

/** What of a request the remembered consent does not answer yet. */
export function unanswered(request: ConsentRequest, consent: Consent | undefined): ConsentRequest {
  if (!consent) return request;
  const known = new Set([...consent.scopes, ...consent.declined]);
  const resources = Object.entries(request.resources).map(([resource, scopes]) => {
    const allowed = new Set(consent.resources[resource]);
    return [resource, scopes.filter((scope) => !allowed.has(scope))] as const;
  });
  return {
    scopes: request.scopes.filter((scope) => !known.has(scope)),
    claims: request.claims.filter((name) => !consent.claims?.includes(name)),
    resources: Object.fromEntries(
      resources.filter(([resource, scopes]) => scopes.length > 0 || !consent.resources[resource]),
    ),
  };
}

export const isAnswered = ({ scopes, resources, claims }: ConsentRequest): boolean =>
  scopes.length === 0 && claims.length === 0 && Object.keys(resources).length === 0;

/** The record after a person allowed `granted` and left `declined` unticked. */
export function extended(
  consent: Consent | undefined,
  {
    account_id,
    client_id,
    granted,
    declined,
    at,
  }: { account_id: string; client_id: string; granted: ConsentRequest; declined: string[]; at: string },
): Consent {
  const resources = { ...consent?.resources };
  for (const [resource, scopes] of Object.entries(granted.resources)) {
    resources[resource] = [...new Set([...(resources[resource] ?? []), ...scopes])];
  }
  const scopes = [...new Set([...(consent?.scopes ?? []), ...granted.scopes])].filter(
    (scope) => !declined.includes(scope),
  );
  const claims = [...new Set([...(consent?.claims ?? []), ...granted.claims])];
  return {
    account_id,
    client_id,
    scopes,
    declined: [...new Set([...(consent?.declined ?? []), ...declined])].filter((scope) => !scopes.includes(scope)),
    resources,
    ...(claims.length > 0 ? { claims } : {}),
    created_at: consent?.created_at ?? at,
    updated_at: at,
    ...(consent?.last_used_at === undefined ? {} : { last_used_at: consent.last_used_at }),
  };
}
