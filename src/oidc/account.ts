import type { Account as ProviderAccount, KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import { accessTokenClaims, accountClaims } from './claims.ts';
import { actorOf } from './features/token-exchange.ts';

interface Needs {
  accounts: { find(id: string): Promise<Account | undefined> };
  records: { hasUid(uid: string): Promise<boolean> };
}

interface LoadedAccount extends ProviderAccount {
  record: Account;
}

/** Whether the session that the grant of this request ends with is over (an idle session is simply gone). */
async function sessionIsOver({ oidc }: KoaContextWithOIDC, records: Needs['records']): Promise<boolean> {
  const uid = (oidc.entities.Grant as { sessionUid?: string } | undefined)?.sessionUid;
  return uid !== undefined && !(await records.hasUid(uid));
}

/** Claims that the request itself names (OpenID Connect Core, section 5.5) stay where scopes alone reveal nothing. */
const onlyAsked = (claims: ReturnType<typeof accountClaims>, asked: object) => ({
  ...Object.fromEntries(Object.entries(claims).filter(([name]) => name in asked)),
  sub: claims.sub,
});

/** The library's `findAccount`: only active accounts exist for it, so a suspension ends every refresh and userinfo call. */
export const findAccount =
  ({ accounts, records }: Needs) =>
  async (ctx: KoaContextWithOIDC, id: string, token?: unknown): Promise<LoadedAccount | undefined> => {
    const record = await accounts.find(id);
    if (record?.state !== 'active') return undefined;
    if (token !== undefined && (await sessionIsOver(ctx, records))) return undefined;
    return {
      accountId: id,
      record,
      async claims(use: string, _scope: string, asked: object) {
        const all = accountClaims(record);
        return use === 'id_token' && ctx.oidc.client?.['id_token_profile_claims'] === false
          ? onlyAsked(all, asked)
          : all;
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

/** The library's `extraTokenClaims`. */
export function extraTokenClaims(
  ctx: KoaContextWithOIDC,
  token: { scopes: Set<string>; accountId?: string | undefined },
) {
  const account = ctx.oidc.entities.Account as LoadedAccount | undefined;
  if (!account || token.accountId === undefined) return undefined;
  const act = actorOf(ctx);
  return { ...accessTokenClaims(account.record, token.scopes), ...howSignedIn(ctx), ...(act ? { act } : {}) };
}
