/**
 * The one place that reaches into `oidc-provider` beyond its documented options, with `library-sessions.ts` and `library-tokens.ts`. Each
 * change names the member it replaces and why; all are on classes of one provider instance, none on the library's shared code.
 */
import type { IncomingMessage } from 'node:http';
import { Provider } from 'oidc-provider';
import type { Client as ProviderClient, KoaContextWithOIDC } from 'oidc-provider';
import { epochSeconds } from '../kernel/clock.ts';
import type { ClientGuard } from '../limits/client-guard.ts';
import type { Limits } from '../limits/limits.ts';
import { acceptEarlier, isAccepted } from './accepted-secrets.ts';
import type { WithSecrets } from './accepted-secrets.ts';
import type { AcceptedSecret } from './client-directory.ts';
import { adaptSessions } from './library-sessions.ts';
import type { SessionNeeds } from './library-sessions.ts';
import { adaptTokens } from './library-tokens.ts';
import type { TokenNeeds } from './library-tokens.ts';

interface Needs extends SessionNeeds, TokenNeeds {
  directory: { metadata(id: string): Promise<object | undefined> };
  clientAddress: (req: IncomingMessage) => string;
  clientGuard: ClientGuard;
  limits: Pick<Limits, 'spend'>;
  browserOf: (ctx: KoaContextWithOIDC) => string;
}

interface InteractionModel {
  exp?: number;
  browser?: string;
  session?: { accountId?: string };
  save(ttl: number): Promise<string>;
}

/** How clients are found, and their secrets compared. */
function adaptClients(provider: Provider, { directory, clientAddress, clientGuard }: Needs): void {
  const { Client } = provider;
  // Only the hash of a secret is stored, and stands where the library expects the secret. Every endpoint compares it here.
  Client.prototype.compareClientSecret = function compareClientSecret(
    this: { clientId: string; accepted_secrets?: AcceptedSecret[] },
    actual: string,
  ) {
    const address = Provider.ctx ? clientAddress(Provider.ctx.req) : 'unknown';
    return clientGuard.compared(this.clientId, address, isAccepted(actual, this.accepted_secrets ?? []));
  };

  // The library serializes and hashes a client's metadata at each look-up to find the client it made of it before.
  const made = new WeakMap<object, ProviderClient>();
  const findClient = Client.find.bind(Client);
  Client.find = async (id) => {
    const metadata = await directory.metadata(id);
    const known = metadata && made.get(metadata);
    if (known) return known;
    const client = await findClient(id);
    if (metadata && client) {
      made.set(metadata, client);
      acceptEarlier(client as unknown as WithSecrets);
      // Which types of authorization details it may ask for is ours to say: the library knows none by name, so it would allow none.
      Object.assign(client, { authorizationDetailsTypes: undefined });
    }
    return client;
  };
}

function adaptInteractions(provider: Provider, { clientAddress, limits, browserOf }: Needs): void {
  const { Interaction } = provider as unknown as {
    Interaction: { IN_PAYLOAD: string[]; prototype: InteractionModel };
  };
  const inPayload = [...Interaction.IN_PAYLOAD, 'browser'];
  Object.defineProperty(Interaction, 'IN_PAYLOAD', { get: () => inPayload });
  const { save } = Interaction.prototype;
  Interaction.prototype.save = async function saveInteraction(ttl) {
    const { ctx } = Provider;
    if (ctx && this.exp === undefined) {
      // Anybody may begin a sign-in, and each is kept. Who is signed in has a session to answer for it.
      if (this.session?.accountId === undefined)
        await limits.spend('authorization', { address: clientAddress(ctx.req) });
      // Whoever has its address only is not who began it.
      this.browser = browserOf(ctx);
    }
    return save.call(this, ttl);
  };
}

export function adaptLibrary(provider: Provider, needs: Needs): void {
  const { records } = needs;
  adaptTokens(provider, needs);
  adaptSessions(provider, needs);
  adaptClients(provider, needs);

  adaptInteractions(provider, needs);

  // "Find, then save" lets every caller at once through; one atomic insert lets one.
  Object.assign((provider as Provider & Record<'ReplayDetection', object>).ReplayDetection, {
    unique: (iss: string, jti: string, exp: number) =>
      records.insertIfAbsent('ReplayDetection', `${iss}\n${jti}`, {}, Math.max(1, exp - epochSeconds())),
  });
}

interface LogoutTokenModel {
  mask: object;
  set(claim: string, value: unknown): void;
  issue(options: { use: 'logout' }): Promise<string>;
}

/**
 * A log-out token (OpenID Connect Back-Channel Logout 1.0, section 2.4), good for two minutes, signed as the client's ID tokens are
 * with the key of the moment. @throws where there is no such client any more.
 */
export async function signLogoutToken(
  provider: Provider,
  { client_id, sub, sid, jti }: { client_id: string; sub: string; sid: string | undefined; jti: string },
): Promise<string> {
  const client = await provider.Client.find(client_id);
  if (!client) throw new Error('the client is gone');
  const { IdToken } = provider as unknown as { IdToken: new (claims: object, options: object) => LogoutTokenModel };
  const token = new IdToken({ sub }, { client, ctx: undefined });
  token.mask = { sub: null };
  token.set('events', { 'http://schemas.openid.net/event/backchannel-logout': {} });
  token.set('jti', jti);
  if (sid !== undefined) token.set('sid', sid);
  return token.issue({ use: 'logout' });
}
