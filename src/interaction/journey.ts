/** One interaction under way: loaded for each request from what the provider keeps, ended in one of three ways. */
import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import type { Client as ProviderClient, Provider } from 'oidc-provider';
import { isOwnPage } from '../clients/client.ts';
import { isDocumentId } from '../clients/documents.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { displayHost, initiateLoginUrl } from '../kernel/urls.ts';
import type { Endings } from '../logout/endings.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { ContinueTo } from '../http/continue.ts';
import { loginResult } from './dispatch.ts';
import type { Proof } from './dispatch.ts';

export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

export interface InteractionUnderWay {
  details: Interaction;
  client: ProviderClient;
}

/** The sign-in cannot go on; a page says why and how to begin again. */
export class DeadEnd extends Error {
  readonly reason: 'expired' | 'cookies';
  readonly uid: string;
  constructor(reason: 'expired' | 'cookies', uid: string) {
    super(`the interaction is at a dead end: ${reason}`);
    this.reason = reason;
    this.uid = uid;
  }
}

export interface JourneyNeeds {
  provider: Provider;
  records: SealedRecords;
  endings: Pick<Endings, 'session'>;
  continueTo: ContinueTo;
}

/** @throws DeadEnd when the interaction is over, or the browser did not send its cookie. */
export async function loadInteraction(provider: Provider, ctx: Context): Promise<InteractionUnderWay> {
  const { uid = '' } = (ctx as unknown as { params: { uid?: string } }).params;
  try {
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    if (details.uid !== uid) throw new DeadEnd('expired', uid);
    const client = await provider.Client.find(String(details.params['client_id']));
    if (!client) throw new DeadEnd('expired', uid);
    return { details, client };
  } catch (error) {
    if (error instanceof errors.SessionNotFound)
      throw new DeadEnd(ctx.get('Cookie') === '' ? 'cookies' : 'expired', uid);
    // It was denied, or its document went away, while its person was here.
    if (error instanceof errors.InvalidClient) throw new DeadEnd('expired', uid);
    throw error;
  }
}

const remaining = (details: Interaction) => Math.max(1, details.exp - epochSeconds());

/** In the place of the `ui_locales` that the app sent, if it did. */
export async function wishLanguage(details: Interaction, lang: string): Promise<void> {
  if (details.params['ui_locales'] === undefined) return;
  details.params['ui_locales'] = lang;
  await details.save(remaining(details));
}

/** Ends with an error that goes to the app (RFC 6749, section 4.1.2.1). */
export async function cancel(
  { continueTo }: JourneyNeeds,
  ctx: Context,
  { details, client }: InteractionUnderWay,
): Promise<void> {
  details.result = { error: 'access_denied', error_description: 'the person cancelled' };
  await details.save(remaining(details));
  await continueTo(ctx, details.returnTo, returnHost(client, details));
}

/** Ends with the error that the app's demands cannot be met (OpenID Connect Core Unmet Authentication Requirements 1.0). */
export async function unmet(
  { continueTo }: JourneyNeeds,
  ctx: Context,
  { details, client }: InteractionUnderWay,
): Promise<void> {
  const error_description = 'the person cannot reach the acr asked for';
  details.result = { error: 'unmet_authentication_requirements', error_description };
  await details.save(remaining(details));
  await continueTo(ctx, details.returnTo, returnHost(client, details));
}

/**
 * Ends the login prompt. Where somebody else is signed in by now, in this tab or another, their session ends first: left to
 * itself the library would ask the browser to log out by a page that needs script.
 */
export async function signedIn(
  { provider, endings, continueTo }: JourneyNeeds,
  ctx: Context,
  { details, client }: InteractionUnderWay,
  proofs: [Proof, ...Proof[]],
): Promise<void> {
  const login = loginResult(proofs);
  const session = await provider.Session.get(ctx);
  const switched = session.accountId !== undefined && session.accountId !== login.accountId;
  if (switched) delete (details as { session?: unknown }).session;
  // What somebody else answered before does not count for who signs in now.
  const before = switched ? {} : details.lastSubmission;
  const chosen = details.prompt.name === 'select_account' ? { select_account: {} } : {};
  details.result = { ...before, ...chosen, login };
  await details.save(remaining(details));
  if (switched) await endings.session({ sessionUid: session.uid, cause: 'other_person' });
  await continueTo(ctx, details.returnTo, returnHost(client, details));
}

/** Ends the consent prompt. @returns where the browser goes on to. */
export async function consented(details: Interaction, grantId: string): Promise<string> {
  details.result = { ...details.lastSubmission, consent: { grantId } };
  await details.save(remaining(details));
  return details.returnTo;
}

/** The app as its pages show it. */
export function clientForPages(client: ProviderClient, base: string) {
  return {
    name: client.clientName ?? client.clientId,
    /** It is known by the document at its id: that address, and the name it gives itself there. */
    document: isDocumentId(client.clientId) ? { id: client.clientId, name: String(client['document_name']) } : null,
    /** A page of ours rather than an app. */
    own: isOwnPage(client.clientId),
    /** It registered itself: nobody here has looked at it, and its name and logo say what it likes. */
    unverified: client['dynamically_registered'] === true,
    host: isDocumentId(client.clientId)
      ? null
      : (displayHost(client.clientUri) ?? displayHost(client.redirectUris?.[0])),
    logo: client.logoUri === undefined || isDocumentId(client.clientId) ? null : `${base}/logos/${client.clientId}`,
    home: client.clientUri ?? null,
    policy: client.policyUri ?? null,
    terms: client.tosUri ?? null,
    theme: themeOf(client),
  };
}

/** The theme of the app's own. */
export const themeOf = (client: ProviderClient | undefined): string | null =>
  (client?.['theme'] as string | null | undefined) ?? null;

/** Where the person goes back to, for people to read. */
export const returnHost = (client: ProviderClient, { params }: Interaction): string =>
  displayHost(String(params['redirect_uri'])) ?? client.clientName ?? client.clientId;

/** Where an app can be opened anew. */
export function homeUrl(client: ProviderClient, issuer: string): string | null {
  if (client.initiateLoginUri !== undefined) return initiateLoginUrl(client.initiateLoginUri, issuer);
  const redirect = URL.parse(client.redirectUris?.[0] ?? '');
  const origin = redirect && redirect.protocol.startsWith('http') ? `${redirect.origin}/` : null;
  return client.clientUri ?? origin;
}

/** A parameter of the authorization request as text; the library has made sure that it is not repeated. */
export function parameter({ params }: Interaction, name: string): string | undefined {
  const value = params[name];
  return typeof value === 'string' ? value : undefined;
}
