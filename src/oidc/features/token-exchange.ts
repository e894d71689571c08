/**
 * Token exchange (RFC 8693): a program that was given an access token of a person gets one for another API, in the person's name.
 * Who may exchange what for which API is in the client's own metadata. What comes out never reaches further than what came in:
 * no more scopes, no longer life, and it ends with the same session.
 */
import { errors } from 'oidc-provider';
import type { Account, Client as ProviderClient, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { ADMIN_API } from '../../clients/client.ts';
import { TOKEN_EXCHANGE } from '../../clients/protocol.ts';
import type { Client } from '../../clients/client.ts';
import type { ProtocolMetadata } from '../../clients/protocol.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { SigningAlgorithm } from '../../keys/signing-key.ts';
import { issueGrant } from '../grants.ts';
import type { LiveToken } from '../jwt-access-tokens.ts';
import { API_STANDARD_SCOPES } from '../claims.ts';
import { tokenSettings } from '../resources.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
];
/** How many programs may stand behind one another. */
const MOST_ACTORS = 5;

type Policy = NonNullable<ProtocolMetadata['token_exchange']>;

/** Who acts (RFC 8693, section 4.1); whoever acted before stands inside. */
export interface Actor {
  sub: string;
  act?: Actor;
}

interface Needs {
  find(token: string): Promise<LiveToken | undefined>;
  api(resource: string): Promise<Client | undefined>;
  findAccount(ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined>;
  /** What tokens can be signed with, the usual one first. */
  algorithms: SigningAlgorithm[];
  /** Seconds. */
  lifetime: () => number;
}

const actors = new WeakMap<object, Actor>();
/** Who acts by the token that this request is answered with. */
export const actorOf = (ctx: KoaContextWithOIDC): Actor | undefined => actors.get(ctx.oidc);

const depth = (act: Actor | undefined): number => (act ? 1 + depth(act.act) : 0);
const words = (text: string | undefined) => text?.split(' ').filter(Boolean) ?? [];

function textOf({ oidc }: KoaContextWithOIDC, name: string): string | undefined {
  const value = oidc.params?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @throws invalid_request where it is of another kind, or good for nothing (RFC 8693, section 2.2.2). */
async function tokenOf(ctx: KoaContextWithOIDC, which: 'subject' | 'actor', find: Needs['find']): Promise<LiveToken> {
  const type = textOf(ctx, `${which}_token_type`);
  if (type !== ACCESS_TOKEN && type !== JWT)
    throw new errors.InvalidRequest(`${which}_token_type must be ${ACCESS_TOKEN}`);
  const live = await find(textOf(ctx, `${which}_token`) ?? '');
  if (!live) throw new errors.InvalidRequest(`the ${which}_token is expired, revoked, or not one of ours`);
  // Whoever presents it need not have the key that it is bound to, and would get one that is bound to nothing.
  if (live.payload['cnf'] !== undefined)
    throw new errors.InvalidRequest(`the ${which}_token is bound to a key and cannot be exchanged`);
  return live;
}

/** @throws invalid_request where the policy lets the client not act for itself by a person's token. */
async function whoActs(
  ctx: KoaContextWithOIDC,
  { client, policy, before }: { client: ProviderClient; policy: Policy; before: Actor | undefined },
  find: Needs['find'],
): Promise<Actor | undefined> {
  let sub = client.clientId;
  if (textOf(ctx, 'actor_token') !== undefined) {
    const actor = await tokenOf(ctx, 'actor', find);
    if (actor.payload.client_id !== client.clientId)
      throw new errors.InvalidRequest('the actor_token was issued to another client');
    sub = String(actor.payload.sub);
  } else if (policy.impersonation) return before;
  const act = { sub, ...(before ? { act: before } : {}) };
  if (depth(act) > MOST_ACTORS) throw new errors.InvalidRequest('too many programs act for one another');
  return act;
}

/** @throws invalid_request where a key is to be in it: none of this client's tokens is ever without its binding. */
function mayBeUnbound(ctx: KoaContextWithOIDC, client: ProviderClient): void {
  if (client['dpopBoundAccessTokens'] || client['tlsClientCertificateBoundAccessTokens'] || ctx.get('DPoP') !== '')
    throw new errors.InvalidRequest('exchanged tokens are not bound to keys');
}

/** The one API that the new token is for. @throws invalid_target. */
async function targetOf(ctx: KoaContextWithOIDC, policy: Policy, api: Needs['api']): Promise<Client> {
  const named = [textOf(ctx, 'resource'), textOf(ctx, 'audience')].filter((name) => name !== undefined);
  const [resource] = named;
  if (resource === undefined || new Set(named).size !== 1)
    throw new errors.InvalidTarget('name one API by resource or audience');
  const found = policy.to.includes(resource) ? await api(resource) : undefined;
  if (!found || found.id === ADMIN_API) throw new errors.InvalidTarget('the client may not get tokens for this API');
  return found;
}

/** What the API offers; of that what an app registered, if it did. (What an API registers is what it offers itself.) */
function offeredTo(client: ProviderClient, target: Client): string[] {
  const offered = [...words(target.scope ?? ''), ...API_STANDARD_SCOPES];
  const registered = client['client_type'] === 'api' ? [] : (client['allowed_scopes'] as string[]);
  return registered.length > 0 ? offered.filter((scope) => registered.includes(scope)) : offered;
}

function scopeOf(ctx: KoaContextWithOIDC, subject: LiveToken, offered: string[]): string[] {
  const had = words(subject.payload.scope);
  const asked = words(textOf(ctx, 'scope'));
  const more = asked.find((scope) => !had.includes(scope) || !offered.includes(scope));
  if (more !== undefined) throw new errors.InvalidScope('the subject_token does not reach that far', more);
  return (asked.length > 0 ? asked : had).filter((scope) => offered.includes(scope));
}

interface AccessTokenOptions {
  client: ProviderClient;
  accountId: string;
  grantId: string;
  gty: string;
  scope: string | undefined;
}
interface Issued {
  resourceServer: object;
  save(): Promise<string>;
  expiration: number;
}

export function enableTokenExchange(provider: Provider, { find, api, findAccount, algorithms, lifetime }: Needs): void {
  const { AccessToken, ResourceServer } = provider as unknown as {
    AccessToken: new (options: AccessTokenOptions) => Issued;
    ResourceServer: new (identifier: string, info: object) => object;
  };

  async function exchange(ctx: KoaContextWithOIDC): Promise<void> {
    const client = ctx.oidc.client!;
    const policy = client['token_exchange'] as Policy | undefined;
    if (!policy) throw new errors.UnauthorizedClient('nothing says what the client may exchange');
    mayBeUnbound(ctx, client);
    const wanted = textOf(ctx, 'requested_token_type') ?? ACCESS_TOKEN;
    if (wanted !== ACCESS_TOKEN && wanted !== JWT) throw new errors.InvalidRequest('only access tokens are issued');
    const subject = await tokenOf(ctx, 'subject', find);
    const { accountId, payload, sessionUid } = subject;
    if (accountId === undefined) throw new errors.InvalidRequest('the subject_token is of no person');
    if (![payload.aud].flat().some((audience) => audience !== undefined && policy.from.includes(audience)))
      throw new errors.InvalidRequest('the client may not exchange tokens for that API');
    const target = await targetOf(ctx, policy, api);
    const before = payload['act'] as Actor | undefined;
    const act = await whoActs(ctx, { client, policy, before }, find);
    const scopes = scopeOf(ctx, subject, offeredTo(client, target));
    const account = await findAccount(ctx, accountId);
    if (!account) throw new errors.InvalidRequest('the person is gone');
    ctx.oidc.entity('Account', account);
    if (act) actors.set(ctx.oidc, act);

    const request = { scopes: [], resources: { [target.resource!]: scopes }, claims: [] };
    const grantId = await issueGrant(provider, { accountId, client, sessionUid, request, declined: [], api });
    const { alg, accessTokenTTL = lifetime() } = tokenSettings(target, algorithms);
    const token = new AccessToken({
      client,
      accountId,
      grantId,
      gty: 'token_exchange',
      scope: scopes.join(' ') || undefined,
    });
    token.resourceServer = new ResourceServer(target.resource!, {
      scope: scopes.join(' '),
      audience: target.resource,
      accessTokenFormat: 'jwt',
      accessTokenTTL: Math.max(1, Math.min(accessTokenTTL, payload.exp - epochSeconds())),
      jwt: { sign: { alg } },
    });
    const access_token = await token.save();
    ctx.body = {
      access_token,
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: token.expiration,
      ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    };
  }

  provider.registerGrantType(TOKEN_EXCHANGE, exchange, PARAMETERS, []);
}
