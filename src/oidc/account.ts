import type { Account as ProviderAccount, Client, KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import { accessTokenClaims } from './claims.ts';
import { actorOf } from './features/token-exchange.ts';
import { MAPPED } from './token-claims.ts';
import type { TokenClaims } from './token-claims.ts';

interface Needs {
  accounts: { find(id: string): Promise<Account | undefined> };
  records: { hasUid(uid: string): Promise<boolean> };
  tokenClaims: TokenClaims;
}

interface LoadedAccount extends ProviderAccount {
  record: Account;
}

const wordsOf = (scope: string): Set<string> => new Set(scope.split(' ').filter(Boolean));

/** Whether the session that the grant of this request ends with is over (an idle session is simply gone). */
async function sessionIsOver({ oidc }: KoaContextWithOIDC, records: Needs['records']): Promise<boolean> {
  const uid = (oidc.entities.Grant as { sessionUid?: string } | undefined)?.sessionUid;
  return uid !== undefined && !(await records.hasUid(uid));
}

/** Claims that the request itself names (OpenID Connect Core, section 5.5) stay where scopes alone reveal nothing. */
const onlyAsked = (claims: Record<string, unknown> & { sub: string }, asked: object) => ({
  ...Object.fromEntries(Object.entries(claims).filter(([name]) => name in asked)),
  sub: claims.sub,
});

/** The library's `findAccount`: only active accounts exist for it, so a suspension ends every refresh and userinfo call. */
export const findAccount =
  ({ accounts, records, tokenClaims }: Needs) =>
  async (ctx: KoaContextWithOIDC, id: string, token?: unknown): Promise<LoadedAccount | undefined> => {
    const record = await accounts.find(id);
    if (record?.state !== 'active') return undefined;
    if (token !== undefined && (await sessionIsOver(ctx, records))) return undefined;
    return {
      accountId: id,
      record,
      async claims(use, scope, asked) {
        const client = ctx.oidc.client!;
        const target = use === 'userinfo' ? 'userinfo' : 'id_token';
        const { claims } = await tokenClaims.mapped({ target, scopes: wordsOf(scope), client, account: record });
        const all = await tokenClaims.of(record);
        const isBare = target === 'id_token' && client['id_token_profile_claims'] === false;
        return { ...(isBare ? onlyAsked(all, asked) : all), [MAPPED]: claims };
      },
    };
  };

interface SignIn {
  acr?: string;
  amr?: string[];
  authTime?: number;
}

/** How and when the person signed in, for APIs that ask for more (RFC 9470, section 6). */
function howSignedIn({ oidc }: KoaContextWithOIDC): Record<string, unknown> {
  const source = (oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken) as SignIn | undefined;
  const { acr, amr, authTime } = source ?? {};
  return {
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
    ...(authTime === undefined ? {} : { auth_time: authTime }),
  };
}

interface IssuedToken {
  scopes: Set<string>;
  accountId?: string | undefined;
  client?: Client | undefined;
}

/** The library's `extraTokenClaims`. */
export const extraTokenClaims =
  ({ tokenClaims }: Pick<Needs, 'tokenClaims'>) =>
  async (ctx: KoaContextWithOIDC, token: IssuedToken): Promise<Record<string, unknown> | undefined> => {
    const { scopes } = token;
    const client = token.client ?? ctx.oidc.client;
    const loaded = ctx.oidc.entities.Account as LoadedAccount | undefined;
    const account = token.accountId === undefined ? undefined : loaded?.record;
    if (!client || (token.accountId !== undefined && !account)) return undefined;
    const { claims: mapped } = await tokenClaims.mapped({ target: 'access_token', scopes, client, account });
    if (!account) return Object.keys(mapped).length > 0 ? mapped : undefined;
    const act = actorOf(ctx);
    const standard = accessTokenClaims(await tokenClaims.of(account), scopes);
    return { ...standard, ...mapped, ...howSignedIn(ctx), ...(act ? { act } : {}) };
  };
