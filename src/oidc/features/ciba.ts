/**
 * Client-initiated backchannel authentication (OpenID Connect CIBA Core 1.0): an app names a person, who is asked on their account page. Which
 * person a hint means, and what may be asked how often; the answer is `oidc/approvals.ts`'s.
 */
import type { IncomingMessage } from 'node:http';
import { errors } from 'oidc-provider';
import type { Client, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account } from '../../accounts/account.ts';
import { isUnknown } from '../../factors/levels.ts';
import type { Config } from '../../config/schema.ts';
import type { Limits } from '../../limits/limits.ts';
import { askedOf } from '../asked.ts';
import type { Asking } from '../asking.ts';
import { POLL_INTERVAL } from './polling.ts';

/** RFC 5321, section 4.5.3.1.3, and some more. */
const LONGEST_HINT = 320;
/** What a screen shows in one or two lines; nothing that hides or turns text (section 7.1 leaves the rules to us). */
const BINDING_MESSAGE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u;
/** Letters and signs that draw nothing, and marks piled so high that they draw over other lines. */
const UNREADABLE = /[\u115F\u1160\u2800\u3164\uFFA0]|\p{M}{5}|^ *$/u;

export interface CibaNeeds {
  config: Pick<Config, 'ciba'>;
  accounts: {
    find(id: string): Promise<Account | undefined>;
    findByEmail(email: string): Promise<Account | undefined>;
  };
  limits: Pick<Limits, 'guess' | 'spend'>;
  clientAddress: (req: IncomingMessage) => string;
  asking: Asking;
}

const recordOf = (account: object): Account => (account as { record: Account }).record;

export function cibaFeatures({ config, accounts, limits, clientAddress, asking }: CibaNeeds) {
  /**
   * By their e-mail once it is proved (whoever signed up with the address of somebody else answers nothing in their place), or by
   * the subject that the app knows them by; a pairwise one leads back to nobody.
   */
  async function named(hint: string, client: Client): Promise<string | undefined> {
    if (hint.length > LONGEST_HINT) return undefined;
    if (hint.includes('@')) {
      const account = await accounts.findByEmail(hint);
      return account?.email_verified ? account.id : undefined;
    }
    return client.subjectType === 'pairwise' ? undefined : (await accounts.find(hint))?.id;
  }

  return {
    ciba: {
      enabled: config.ciba.enabled,
      deliveryModes: ['poll', 'ping'] as ('poll' | 'ping')[],
      async processLoginHint(ctx: KoaContextWithOIDC, hint: string | undefined) {
        const client = ctx.oidc.client!;
        const keys = { client: client.clientId, address: clientAddress(ctx.req) };
        return limits.guess('hint', keys, () => named(hint ?? '', client));
      },
      async processLoginHintToken(): Promise<string | undefined> {
        throw new errors.InvalidRequest('login_hint_token is not supported: name the person by login_hint');
      },
      // The person is known and nothing is written down yet: the moment to count.
      async verifyUserCode(ctx: KoaContextWithOIDC, account: object) {
        const client = ctx.oidc.client!;
        if (isUnknown(askedOf(ctx.oidc.params as Record<string, unknown>, client)))
          throw new errors.InvalidRequest('no such acr value is supported');
        const keys = { client: client.clientId, address: clientAddress(ctx.req) };
        await limits.spend('approval', { ...keys, account: recordOf(account).email });
      },
      async validateBindingMessage(_ctx: KoaContextWithOIDC, message: string | undefined) {
        if (message !== undefined && (!BINDING_MESSAGE.test(message) || UNREADABLE.test(message)))
          throw new errors.InvalidBindingMessage('the binding_message must have 1 to 64 visible characters');
      },
      async validateRequestContext() {
        return undefined; // nothing is made of it
      },
      async triggerAuthenticationDevice(ctx: KoaContextWithOIDC, request: object, account: object, client: Client) {
        await asking.ask(request as never, {
          account: recordOf(account),
          client,
          address: clientAddress(ctx.req),
          ui_locales: ctx.oidc.params!['ui_locales'],
        });
        Object.assign(ctx.body as object, { interval: POLL_INTERVAL });
      },
    },
  } satisfies Configuration['features'];
}

/** It would call the app while the person waits, and once. Ours wait in the store. */
export function queuePings({ Client }: Provider): void {
  Object.assign(Client.prototype, { backchannelPing: async () => undefined });
}

/** The library says that a person can be asked for a code of theirs, which we have none of. */
export const correctCibaMetadata = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
  await next();
  if (!ctx.path.startsWith('/.well-known/')) return;
  const metadata = ctx.body as Record<string, unknown> | undefined;
  if (metadata?.['backchannel_user_code_parameter_supported'] === true)
    metadata['backchannel_user_code_parameter_supported'] = false;
};
