/**
 * Consent, wherever a person gives it: on the way to an app, or on their account page for an app that asked for them. What is shown of a
 * request, and what follows from the answer; the pages are others'.
 */
import type { TFunction } from 'i18next';
import type { Client as ProviderClient, Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { Client } from '../clients/client.ts';
import type { Detail } from '../clients/detail-types.ts';
import { extended, saysTheSame, unanswered } from '../consents/consent.ts';
import type { Consent, ConsentRequest } from '../consents/consent.ts';
import type { ConsentStore } from '../consents/store.ts';
import { isoNow } from '../kernel/clock.ts';
import type { Authority } from '../roles/authority.ts';
import type { RoleBook } from '../roles/book.ts';
import { scopeOfClaim } from './asked-claims.ts';
import { accountClaims } from './claims.ts';
import { shownDetails } from './features/authorization-details.ts';
import { issueGrant } from './grants.ts';

/** One row of what an app asks for. */
export interface ConsentItem {
  scope: string;
  title: string;
  detail: string | null;
  /** Beside it, one line each. */
  lines?: string[];
  optional: boolean;
  checked: boolean;
  is_new: boolean;
}

interface ApiDirectory {
  api(resource: string): Promise<Client | undefined>;
}

const OPTIONAL = ['offline_access', 'phone', 'address'];
/** `openid` alone says no more than that there is an account. */
const SHOWN = (scope: string) => scope !== 'openid';

/** A value of a claim for people to read. */
function valueOf(name: string, claims: Record<string, unknown>): string | null {
  const value = claims[name];
  if (name === 'address') return String((value as { formatted?: string } | undefined)?.formatted ?? '') || null;
  // What comes with another claim, and says nothing by itself.
  if (name === 'updated_at') return null;
  const said = [value].flat().filter((one) => typeof one === 'string' || typeof one === 'number');
  return said.join(', ') || null;
}

/** Who is asked, and what they may do. */
interface Person {
  account: Account;
  authority: Authority;
}

/** One item for the single claims of one scope: the words of the scope, and only the values that are asked for. */
function claimItems(names: string[], { account, authority }: Person, t: TFunction, is_new: boolean): ConsentItem[] {
  const claims = accountClaims(account, authority);
  const byScope = Map.groupBy(names, (name) => scopeOfClaim(name)!);
  return [...byScope].map(([scope, own]) => ({
    scope: `claims:${scope}`,
    title: t(`scope.${scope}.title`),
    detail: own.flatMap((name) => valueOf(name, claims) ?? []).join(', ') || null,
    optional: false,
    checked: true,
    is_new,
  }));
}

/** The real values behind a scope, so that a person sees what an app will see. */
function detailOf(scope: string, { account, authority }: Person, t: TFunction): string | null {
  const { claims } = account;
  switch (scope) {
    case 'openid':
      return t('consent.openid_detail');
    case 'profile':
      return account.name;
    case 'email':
      return t(account.email_verified ? 'consent.email_verified' : 'consent.email_unverified', {
        email: account.email,
      });
    case 'phone':
      if (claims.phone_number === undefined) return null;
      return t(claims.phone_number_verified ? 'consent.phone_verified' : 'consent.phone_unverified', {
        phone: claims.phone_number,
      });
    case 'address':
      return claims.address?.['formatted'] ?? null;
    case 'roles':
    case 'permissions':
    case 'groups':
      return authority[scope].join(', ') || null;
    case 'offline_access':
      return t('consent.offline_detail');
    default:
      return null;
  }
}

/** APIs by their identifier. */
type Apis = Map<string, Client | undefined>;

async function apisOf({ resources }: ConsentRequest, { api }: ApiDirectory): Promise<Apis> {
  const found = Object.keys(resources).map(async (resource) => [resource, await api(resource)] as const);
  return new Map(await Promise.all(found));
}

/** One item per API: what its scopes mean in its own words, or where it has none their names, which only its people know. */
const apiItems = (resources: Record<string, string[]>, apis: Apis, t: TFunction, is_new: boolean): ConsentItem[] =>
  Object.entries(resources).map(([resource, scopes]) => {
    const api = apis.get(resource);
    const words = api?.scope_descriptions ?? {};
    return {
      scope: resource,
      title: t('scope.other.title', { api: api?.client_name ?? resource }),
      lines: scopes.flatMap((scope) => words[scope] ?? []),
      detail: scopes.filter((scope) => words[scope] === undefined).join(', ') || null,
      optional: false,
      checked: true,
      is_new,
    };
  });

interface Asked {
  request: ConsentRequest;
  /** What was allowed before. */
  consent: Consent | undefined;
  account: Account;
  /** Beside scopes (RFC 9396): asked each time. */
  details: Detail[];
}

/** All that a request asks for, with what is new in it marked, in the language that shows when it is drawn. */
export async function consentItems(
  { request, consent, account, details }: Asked,
  { directory, book }: { directory: ApiDirectory; book: Pick<RoleBook, 'current'> },
): Promise<(t: TFunction) => ConsentItem[]> {
  const apis = await apisOf(request, directory);
  const shownOf = await shownDetails(details, Object.keys(request.resources), directory);
  const person = { account, authority: (await book.current()).authorityOf(account) };
  const fresh = unanswered(request, consent);
  const shown = request.scopes.filter(
    (scope) => SHOWN(scope) || (request.scopes.length === 1 && request.claims.length === 0),
  );
  const answered = Object.entries(request.resources).flatMap(([resource, scopes]) => {
    const asked = fresh.resources[resource];
    const allowed = scopes.filter((scope) => !asked?.includes(scope));
    return asked && allowed.length === 0 ? [] : [[resource, allowed] as const];
  });
  const known = request.claims.filter((name) => !fresh.claims.includes(name));
  return (t) => [
    ...shownOf.map(({ title, api, lines }, index) => ({
      scope: `detail:${index}`,
      title,
      detail: api,
      lines: lines((value) => t(value ? 'consent.yes' : 'consent.no')),
      optional: false,
      checked: true,
      is_new: true,
    })),
    ...shown.map((scope) => ({
      scope,
      title: t(`scope.${scope}.title`),
      detail: detailOf(scope, person, t),
      optional: OPTIONAL.includes(scope),
      checked: !consent?.declined.includes(scope),
      is_new: fresh.scopes.includes(scope),
    })),
    ...claimItems(fresh.claims, person, t, true),
    ...claimItems(known, person, t, false),
    ...apiItems(fresh.resources, apis, t, true),
    ...apiItems(Object.fromEntries(answered), apis, t, false),
  ];
}

interface Given extends Asked {
  client: ProviderClient;
  sessionUid: string;
  /** The optional scopes that were left on. */
  ticked: string[];
}

interface GivingNeeds {
  provider: Provider;
  consents: Pick<ConsentStore, 'put'>;
  directory: ApiDirectory;
}

/** Remembers what a person allowed and gives just that. @returns the grant's id. */
export async function giveConsent(
  { provider, consents, directory }: GivingNeeds,
  { account, consent, request, client, sessionUid, ticked, details }: Given,
): Promise<string> {
  const declined = request.scopes.filter((scope) => OPTIONAL.includes(scope) && !ticked.includes(scope));
  const granted = { ...request, scopes: request.scopes.filter((scope) => !declined.includes(scope)) };
  const given = { account_id: account.id, client_id: client.clientId, granted, declined, at: isoNow() };
  const next = extended(consent, given);
  // Apps that ask each time get the same answer nearly always: then only its date is new, and nothing waits for the disk.
  const put = consents.put(next, { durable: consent === undefined || !saysTheSame(consent, next) });
  const { api } = directory;
  const grant = { accountId: account.id, client, sessionUid, request, declined, api, details };
  const [grantId] = await Promise.all([issueGrant(provider, grant), put]);
  return grantId;
}
