/** Tells what becomes of tokens: each answer of the token endpoint, and each token that was handed back. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

export interface TokenEvent {
  type: 'token_issued' | 'token_refreshed' | 'token_revoked';
  client: string;
  account: string | undefined;
  detail: Record<string, string>;
}

type Note = (event: TokenEvent) => void;

const VALUE_MAX = 200;
const REFRESH = 'refresh_token';

function issued({ oidc, body }: KoaContextWithOIDC): TokenEvent {
  const { grant_type, resource } = oidc.params as { grant_type: string; resource?: unknown };
  const { scope } = (body ?? {}) as { scope?: unknown };
  const detail: Record<string, string> = { grant_type };
  if (typeof scope === 'string' && scope !== '') detail['scope'] = scope.slice(0, VALUE_MAX);
  if (typeof resource === 'string') detail['resource'] = resource.slice(0, VALUE_MAX);
  return {
    type: grant_type === REFRESH ? 'token_refreshed' : 'token_issued',
    client: oidc.client!.clientId,
    account: oidc.entities.Account?.accountId,
    detail,
  };
}

export function noteTokens({ provider, note }: { provider: Provider; note: Note }): void {
  provider.on('grant.success', (ctx) => note(issued(ctx)));
}

/** A token that a client handed back, as `kind`. @param account whose it was, where it was a person's. */
export const revoked = (client: string, account: string | undefined, kind: string): TokenEvent => ({
  type: 'token_revoked',
  client,
  account,
  detail: { token: kind },
});

/** Of the tokens that the library revokes itself: which it found, it remembers. */
export const noteRevocations =
  (note: Note) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] };
    if (oidc?.route !== 'revocation' || ctx.status !== 200 || !oidc.client) return;
    const { AccessToken, RefreshToken } = oidc.entities as Record<string, { accountId?: string } | undefined>;
    const token = RefreshToken ?? AccessToken;
    if (token) note(revoked(oidc.client.clientId, token.accountId, RefreshToken ? REFRESH : 'access_token'));
  };
