/** Grants: one authorization each, built fresh and no wider than its request (consent is remembered elsewhere). */
import type { Grant, KoaContextWithOIDC, Provider, Client as ProviderClient } from 'oidc-provider';
import type { Client } from '../clients/client.ts';
import type { Detail } from '../clients/detail-types.ts';
import { isAnswered, unanswered } from '../consents/consent.ts';
import type { ConsentRequest } from '../consents/consent.ts';
import type { ConsentStore } from '../consents/store.ts';
import { claimsAsked } from './asked-claims.ts';
import { STANDARD_SCOPES } from './claims.ts';
import { scopesAt } from './resources.ts';

interface ApiDirectory {
  api(resource: string): Promise<Client | undefined>;
}

export interface GrantInput {
  accountId: string;
  client: ProviderClient;
  /** Uid of the session that authorizes; grants without `offline_access` end with it. */
  sessionUid: string | undefined;
  request: ConsentRequest;
  /** Scopes of the request the person left unticked. */
  declined: string[];
  /** The API with a resource indicator: a grant lasts as long as the tokens for it. */
  api: ApiDirectory['api'];
  /** Allowed beside scopes (RFC 9396). */
  details?: Detail[];
}

const words = (text: unknown) => (typeof text === 'string' ? text.split(' ').filter(Boolean) : []);
const isStandard = (scope: string) => STANDARD_SCOPES.includes(scope);

/** What an authorization request asks a person for: standard scopes, and scopes of APIs by resource. */
export async function requestedConsent(
  { scope, resource, claims }: { scope?: unknown; resource?: unknown; claims?: unknown },
  client: ProviderClient,
  { api }: ApiDirectory,
): Promise<ConsentRequest> {
  const requested = [...new Set(words(scope))];
  const resources: Record<string, string[]> = {};
  for (const indicator of [resource ?? []].flat().map(String)) {
    const found = await api(indicator);
    const available = found ? scopesAt(found, client) : [];
    resources[indicator] = requested.filter((name) => available.includes(name) && !isStandard(name));
  }
  return { scopes: requested.filter(isStandard), resources, claims: claimsAsked(claims) };
}

/** Stores a grant of `request` without `declined`. @returns its id. */
export async function issueGrant(
  provider: Provider,
  { accountId, client, sessionUid, request, declined, api, details = [] }: GrantInput,
): Promise<string> {
  const grant: Grant = new provider.Grant({ accountId, clientId: client.clientId });
  const granted = request.scopes.filter((scope) => !declined.includes(scope));
  const offline = granted.includes('offline_access');
  if (sessionUid !== undefined && !offline) Object.assign(grant, { sessionUid });
  Object.assign(grant, { mayRefresh: offline || client['always_issue_refresh_token'] === true }); // for its lifetime
  const apis = await Promise.all(Object.keys(request.resources).map(api));
  const lives = [client['access_token_lifetime'], ...apis.map((one) => one?.access_token_lifetime)];
  Object.assign(grant, { longestToken: Math.max(0, ...lives.filter((life) => typeof life === 'number')) });
  grant.addOIDCScope(granted.join(' '));
  if (declined.length > 0) grant.rejectOIDCScope(declined.join(' '));
  if (request.claims.length > 0) grant.addOIDCClaims(request.claims);
  for (const [resource, scopes] of Object.entries(request.resources)) {
    grant.addResourceScope(resource, [...scopes, ...granted].join(' '));
    if (declined.length > 0) grant.rejectResourceScope(resource, declined.join(' '));
  }
  for (const detail of details) grant.addRar(detail);
  return grant.save();
}

/**
 * The library's `loadExistingGrant`: the grant a consent page just gave, or a fresh one where the app is first-party or the
 * person's remembered consent covers all that is asked. Undefined sends the person to the consent page.
 */
export const loadGrant =
  ({ consents, directory }: { consents: ConsentStore; directory: ApiDirectory }) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { oidc } = ctx;
    const { provider, session, result } = oidc;
    const grantId = result?.consent?.grantId;
    if (grantId !== undefined) return provider.Grant.find(grantId);
    const client = oidc.client!;
    const accountId = session!.accountId!;
    if (oidc.promptPending('login') || oidc.promptPending('consent') || asksEachTime(client)) return undefined;
    if (oidc.params!['authorization_details'] !== undefined) return undefined; // asked each time
    const request = await requestedConsent(oidc.params!, client, directory);
    const consent = client['first_party'] ? undefined : await consents.find(accountId, client.clientId);
    if (!client['first_party'] && (!consent || !isAnswered(unanswered(request, consent)))) return undefined;
    const declined = request.scopes.filter((scope) => consent?.declined.includes(scope));
    const sessionUid = session!.uid;
    const id = await issueGrant(provider, { accountId, client, sessionUid, request, declined, api: directory.api });
    return provider.Grant.find(id);
  };

/** Where an app is registered so; and any program on a device can claim a native app's redirect URI (RFC 8252, section 8.6). */
export const asksEachTime = (client: ProviderClient): boolean =>
  (client.applicationType === 'native' || client['consent'] === 'always') && client['first_party'] !== true;
