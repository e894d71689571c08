/**
 * Token exchange (RFC 8693): a program that was given an access token of a person gets one for another API, in the person's name.
 * Who may exchange what for which API is in the client's own metadata. What comes out never reaches further than what came in:
 * no more scopes, no longer life, and it ends with the same session.
 */
import { errors } from 'oidc-provider';
import type { Account, Client as ProviderClient, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { TOKEN_EXCHANGE } from '../../clients/protocol.ts';
import type { ProtocolMetadata } from '../../clients/protocol.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { LiveToken } from '../jwt-access-tokens.ts';
import { createIssuing, mayBeUnbound, offeredTo, targetOf, textOf, words } from './issued-for-api.ts';
import type { IssuingNeeds } from './issued-for-api.ts';

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

interface Needs extends IssuingNeeds {
  find(token: string): Promise<LiveToken | undefined>;
  findAccount(ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined>;
}

const actors = new WeakMap<object, Actor>();
/** Who acts by the token that this request is answered with. */
export const actorOf = (ctx: KoaContextWithOIDC): Actor | undefined => actors.get(ctx.oidc);

const depth = (act: Actor | undefined): number => (act ? 1 + depth(act.act) : 0);

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

function scopeOf(ctx: KoaContextWithOIDC, subject: LiveToken, offered: string[]): string[] {
  const had = words(subject.payload.scope);
  const asked = words(textOf(ctx, 'scope'));
  const more = asked.find((scope) => !had.includes(scope) || !offered.includes(scope));
  if (more !== undefined) throw new errors.InvalidScope('the subject_token does not reach that far', more);
  return (asked.length > 0 ? asked : had).filter((scope) => offered.includes(scope));
}

export function enableTokenExchange(provider: Provider, { find, findAccount, ...issuing }: Needs): void {
  const issue = createIssuing(provider, issuing);

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
    const target = await targetOf(ctx, policy.to, issuing.api);
    const before = payload['act'] as Actor | undefined;
    const act = await whoActs(ctx, { client, policy, before }, find);
    const scopes = scopeOf(ctx, subject, offeredTo(client, target));
    const account = await findAccount(ctx, accountId);
    if (!account) throw new errors.InvalidRequest('the person is gone');
    ctx.oidc.entity('Account', account);
    if (act) actors.set(ctx.oidc, act);

    const issued = await issue({
      client,
      target,
      scopes,
      gty: 'token_exchange',
      longest: payload.exp - epochSeconds(),
      person: { accountId, sessionUid },
    });
    ctx.body = { ...issued, issued_token_type: ACCESS_TOKEN };
  }

  provider.registerGrantType(TOKEN_EXCHANGE, exchange, PARAMETERS, []);
}
