import type { TFunction } from 'i18next';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { initials } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Client } from '../clients/client.ts';
import type { ConsentStore } from '../consents/store.ts';
import { fields } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { isLoopback } from '../kernel/urls.ts';
import { consentItems, giveConsent } from '../oidc/consenting.ts';
import { detailsIn } from '../oidc/features/authorization-details.ts';
import { issueGrant, requestedConsent } from '../oidc/grants.ts';
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
    return { account, consent, request, details: detailsIn(details.params['authorization_details']) };
  }

  async function show(ctx: Context, under: InteractionUnderWay, t: TFunction): Promise<void> {
    const { details, client } = under;
    const asked = await load(under);
    const { account, consent } = asked;
    const path = `${base}/interaction/${details.uid}`;
    const all = (await consentItems(asked, { directory, book }))(t);
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
      details: detailsIn(details.params['authorization_details']),
    });
  }

  /** Remembers what the form allowed and gives just that. @returns the grant's id. */
  async function give(ctx: Context, under: InteractionUnderWay): Promise<string> {
    const { details, client } = under;
    const { uid: sessionUid } = details.session!;
    const given = { ...(await load(under)), client, sessionUid, ticked: fields(ctx, 'scope') };
    return giveConsent({ provider, consents, directory }, given);
  }

  return { show, give, giveAll };
}
