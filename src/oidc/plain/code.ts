/**
 * Codes that become tokens (RFC 6749, section 4.1.3, with PKCE as in RFC 7636, section 4.6), as the library's own handler of this grant
 * exchanges them.
 */
import { hash } from 'node:crypto';
import type { Client } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { constantTimeEqual } from '../../kernel/secrets.ts';
import type { SealedRecords } from '../../protocol/sealed-records.ts';
import { refreshTokenLifetime } from '../lifetimes.ts';
import type { RefreshTokens } from '../refresh-tokens.ts';
import type { PlainAnswer } from './answers.ts';
import { grantedScope } from './grants.ts';
import { plainSource } from './person-tokens.ts';
import type { Living, PersonTokens, PlainSource } from './person-tokens.ts';
import { REFRESH } from './refresh.ts';

export const CODE = 'authorization_code';
const KIND = 'AuthorizationCode';
const PARAMETERS = new Set(['grant_type', 'code', 'redirect_uri', 'code_verifier']);
const VERIFIER = /^[\w.~-]{43,128}$/;
const NOT_PASSED_ON = { redirectUri: undefined, codeChallenge: undefined, codeChallengeMethod: undefined };
const OFFLINE = 'offline_access';

/** Whether it was used is not among what it says: one that was is special. */
const isPlainCode = plainSource(Object.keys(NOT_PASSED_ON));

/** Whether who sends `params` is who asked for the code. */
function isAskers(code: PlainSource, { redirect_uri, code_verifier = '' }: Record<string, string>): boolean {
  const { redirectUri, codeChallenge, codeChallengeMethod } = code;
  if (redirect_uri === undefined || redirect_uri !== redirectUri) return false;
  if (codeChallengeMethod !== 'S256' || typeof codeChallenge !== 'string' || !VERIFIER.test(code_verifier))
    return false;
  return constantTimeEqual(hash('sha256', code_verifier, 'base64url'), codeChallenge);
}

/** Whether tokens outlast what is done now, as `issueRefreshToken` tells the library. */
function mayRefresh(client: Client, { scope }: PlainSource, { grant }: Living): boolean {
  if (!client.grantTypeAllowed(REFRESH)) return false;
  const mayStay = scope.split(' ').includes(OFFLINE) && grantedScope(grant, new Set([OFFLINE])) !== '';
  return mayStay || client['always_issue_refresh_token'] === true;
}

interface Needs {
  config: Pick<Config, 'lifetimes'>;
  records: Pick<SealedRecords, 'find' | 'consume'>;
  refreshTokens: Pick<RefreshTokens, 'begin' | 'abandon'>;
  personTokens: PersonTokens;
}

export function createCodeExchange({ config, records, refreshTokens, personTokens }: Needs) {
  /** The first token of a chain that says what the code does. */
  function beginChain(code: PlainSource, client: Client): Promise<string> {
    const iat = epochSeconds();
    const ttl = refreshTokenLifetime(config.lifetimes, client, 0);
    const said = { ...code, ...NOT_PASSED_ON };
    return refreshTokens.begin({ ...said, iat, exp: iat + ttl, iiat: iat, gty: CODE, rotations: 0 }, ttl);
  }

  return async (client: Client, params: Record<string, string>): Promise<PlainAnswer | undefined> => {
    const value = params['code'];
    if (value === undefined || !client.grantTypeAllowed(CODE)) return undefined;
    if (!Object.keys(params).every((name) => PARAMETERS.has(name))) return undefined;
    const code = await records.find(KIND, value);
    if (!code || !isPlainCode(code) || !isAskers(code, params)) return undefined;
    const living = await personTokens.livingOf(code, client);
    if (!living) return undefined;

    const { scope, ...tokens } = await personTokens.issue(code, living, client, CODE);
    const refresh_token = mayRefresh(client, code, living) ? await beginChain(code, client) : undefined;
    // Last of all: nobody knows the tokens of who comes too late, and the library says so, and ends what the first one got.
    if (!(await records.consume(KIND, value))) {
      if (refresh_token !== undefined) await refreshTokens.abandon(refresh_token);
      return undefined;
    }
    return {
      body: { ...tokens, refresh_token, scope, token_type: 'Bearer' },
      params,
      accountId: living.account.id,
    };
  };
}
