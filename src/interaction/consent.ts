import type { TFunction } from 'i18next';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { initials } from '../accounts/account.ts';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Client } from '../clients/client.ts';
import { extended, saysTheSame, unanswered } from '../consents/consent.ts';
import type { Consent, ConsentRequest } from '../consents/consent.ts';
import type { ConsentStore } from '../consents/store.ts';
import { fields } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { isoNow } from '../kernel/clock.ts';
import { isLoopback } from '../kernel/urls.ts';
import { scopeOfClaim } from '../oidc/asked-claims.ts';
import { accountClaims } from '../oidc/claims.ts';
import { issueGrant, requestedConsent } from '../oidc/grants.ts';
import type { Authority } from '../roles/authority.ts';
import type { RoleBook } from '../roles/book.ts';
import { clientForPages, parameter, returnHost } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';

interface Needs {
  provider: Provider;
  accounts: Accounts;
  consents: ConsentStore;
  directory: { api(resource: string): Promise<Client | undefined> };
  render: Render;
  base: string;
  book: Pick<RoleBook, 'current'>;
}

interface Item {
  scope: string;
  title: string;
  detail: string | null;
  /** Beside it, one line each. */
  lines?: string[];
  optional: boolean;
  checked: boolean;
  is_new: boolean;
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
interface Asked {
  account: Account;
  authority: Authority;
}

/** One item for the single claims of one scope: the words of the scope, and only the values that are asked for. */
function claimItems(names: string[], { account, authority }: Asked, t: TFunction, is_new: boolean): Item[] {
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
function detailOf(scope: string, { account, authority }: Asked, t: TFunction): string | null {
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

/** Whether whoever answers there is a program on the person's own device, which nobody can vouch for. */
function comesToDevice(uri: string | undefined): boolean {
  const url = URL.parse(uri ?? '');
  return url?.protocol !== 'https:' && (url?.protocol !== 'http:' || isLoopback(url));
}

export function createConsent({ provider, accounts, consents, directory, render, book, base }: Needs) {
  async function load({ details, client }: InteractionUnderWay) {
    const accountId = details.session!.accountId;
    const [account, consent, request] = await Promise.all([
      accounts.get(accountId),
      consents.find(accountId, client.clientId),
      requestedConsent(details.params, client, directory),
    ]);
    return { account, consent, request };
  }

  /** One item per API: what its scopes mean in its own words, or where it has none their names, which only its people know. */
  async function apiItem(resource: string, scopes: string[], t: TFunction, is_new: boolean): Promise<Item> {
    const api = await directory.api(resource);
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
  }

  const apiItems = (resources: Record<string, string[]>, t: TFunction, is_new: boolean): Promise<Item[]> =>
    Promise.all(Object.entries(resources).map(([resource, scopes]) => apiItem(resource, scopes, t, is_new)));

  async function items(
    request: ConsentRequest,
    consent: Consent | undefined,
    account: Account,
    t: TFunction,
  ): Promise<Item[]> {
    const fresh = unanswered(request, consent);
    const asked: Asked = { account, authority: (await book.current()).authorityOf(account) };
    const standard = request.scopes
      .filter((scope) => SHOWN(scope) || (request.scopes.length === 1 && request.claims.length === 0))
      .map((scope) => ({
        scope,
        title: t(`scope.${scope}.title`),
        detail: detailOf(scope, asked, t),
        optional: OPTIONAL.includes(scope),
        checked: !consent?.declined.includes(scope),
        is_new: fresh.scopes.includes(scope),
      }));
    const answered = Object.entries(request.resources).flatMap(([resource, scopes]) => {
      const open = fresh.resources[resource];
      const allowed = scopes.filter((scope) => !open?.includes(scope));
      return open && allowed.length === 0 ? [] : [[resource, allowed] as const];
    });
    return [
      ...standard,
      ...claimItems(fresh.claims, asked, t, true),
      ...claimItems(
        request.claims.filter((name) => !fresh.claims.includes(name)),
        asked,
        t,
        false,
      ),
      ...(await apiItems(fresh.resources, t, true)),
      ...(await apiItems(Object.fromEntries(answered), t, false)),
    ];
  }

  async function show(ctx: Context, under: InteractionUnderWay, t: TFunction): Promise<void> {
    const { details, client } = under;
    const { account, consent, request } = await load(under);
    const path = `${base}/interaction/${details.uid}`;
    const all = await items(request, consent, account, t);
    const page = {
      client: { ...clientForPages(client, base), first_use: consent === undefined },
      account: { name: account.name, email: account.email, initials: initials(account.name) },
      action: `${path}/consent`,
      cancel_action: `${path}/consent`,
      switch_action: `${path}/switch`,
      items: all.filter((item) => item.is_new),
      known_items: all.filter((item) => !item.is_new),
      to_device: comesToDevice(parameter(details, 'redirect_uri')),
      return_host: returnHost(client, details),
    };
    const ui_locales = parameter(details, 'ui_locales');
    await render(ctx, 'interaction/consent', page, {
      title: ['consent.title', { client: page.client.name }],
      ui_locales,
    });
  }

  /** Gives all of the request, without asking: the client is first-party. @returns the grant's id. */
  async function giveAll(under: InteractionUnderWay): Promise<string> {
    const { details, client } = under;
    const request = await requestedConsent(details.params, client, directory);
    return issueGrant(provider, {
      accountId: details.session!.accountId,
      client,
      sessionUid: details.session!.uid,
      request,
      declined: [],
      api: directory.api,
    });
  }

  /** Remembers what the form allowed and gives just that. @returns the grant's id. */
  async function give(ctx: Context, under: InteractionUnderWay): Promise<string> {
    const { details, client } = under;
    const { account, consent, request } = await load(under);
    const ticked = fields(ctx, 'scope');
    const declined = request.scopes.filter((scope) => OPTIONAL.includes(scope) && !ticked.includes(scope));
    const granted = { ...request, scopes: request.scopes.filter((scope) => !declined.includes(scope)) };
    const given = { account_id: account.id, client_id: client.clientId, granted, declined, at: isoNow() };
    const next = extended(consent, given);
    // Apps that ask each time get the same answer nearly always: then only its date is new, and nothing waits for the disk.
    await consents.put(next, { durable: consent === undefined || !saysTheSame(consent, next) });
    const sessionUid = details.session!.uid;
    return issueGrant(provider, { accountId: account.id, client, sessionUid, request, declined, api: directory.api });
  }

  return { show, give, giveAll };
}
