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

interface ClaimsWanted {
  target: 'id_token' | 'userinfo';
  client: Client;
  account: Account;
  scope: string;
  /** What the request names itself. */
  asked: object;
}

/** Every claim that a token or an answer for `client` may show of an account, and under `MAPPED` what a claim table adds. */
export async function claimsFor(
  tokenClaims: TokenClaims,
  { target, client, account, scope, asked }: ClaimsWanted,
): Promise<Record<string, unknown> & { sub: string; [MAPPED]: Record<string, unknown> }> {
  const { claims } = await tokenClaims.mapped({ target, scopes: wordsOf(scope), client, account });
  const all = await tokenClaims.of(account);
  const isBare = target === 'id_token' && client['id_token_profile_claims'] === false;
  return { ...(isBare ? onlyAsked(all, asked) : all), [MAPPED]: claims };
}

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
      claims: (use, scope, asked) =>
        claimsFor(tokenClaims, {
          target: use === 'userinfo' ? 'userinfo' : 'id_token',
          client: ctx.oidc.client!,
          account: record,
          scope,
          asked,
        }),
    };
  };

export interface SignIn {
  acr?: string;
  amr?: string[];
  authTime?: number;
}

/** How and when the person signed in, for APIs that ask for more (RFC 9470, section 6). */
function howSignedIn({ acr, amr, authTime }: SignIn): Record<string, unknown> {
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

interface ExtraWanted {
  client: Client;
  scopes: Set<string>;
  /** Undefined where a program acts for itself. */
  account: Account | undefined;
  signIn: SignIn;
  act?: object | undefined;
}

/** What an access token carries beside what every one does; undefined is nothing. */
export async function extraClaims(
  tokenClaims: TokenClaims,
  { client, scopes, account, signIn, act }: ExtraWanted,
): Promise<Record<string, unknown> | undefined> {
  const { claims: mapped } = await tokenClaims.mapped({ target: 'access_token', scopes, client, account });
  if (!account) return Object.keys(mapped).length > 0 ? mapped : undefined;
  const standard = accessTokenClaims(await tokenClaims.of(account), scopes);
  return { ...standard, ...mapped, ...howSignedIn(signIn), ...(act ? { act } : {}) };
}

/** The library's `extraTokenClaims`. */
export const extraTokenClaims =
  ({ tokenClaims }: Pick<Needs, 'tokenClaims'>) =>
  async (ctx: KoaContextWithOIDC, token: IssuedToken): Promise<Record<string, unknown> | undefined> => {
    const client = token.client ?? ctx.oidc.client;
    const { Account: loaded, AuthorizationCode, RefreshToken } = ctx.oidc.entities;
    const account = token.accountId === undefined ? undefined : (loaded as LoadedAccount | undefined)?.record;
    if (!client || (token.accountId !== undefined && !account)) return undefined;
    const signIn = (AuthorizationCode ?? RefreshToken ?? {}) as SignIn;
    return extraClaims(tokenClaims, { client, scopes: token.scopes, account, signIn, act: actorOf(ctx) });
  };
