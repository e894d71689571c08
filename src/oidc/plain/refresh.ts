/** Refreshes (RFC 6749, section 6) by the newest token of a chain, as the library's own handler of this grant does them. */
import type { Client } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { Payload } from '../../protocol/sealed-records.ts';
import { refreshTokenLifetime } from '../lifetimes.ts';
import type { RefreshTokens } from '../refresh-tokens.ts';
import type { PlainAnswer } from './answers.ts';
import { plainSource } from './person-tokens.ts';
import type { PersonTokens, PlainSource } from './person-tokens.ts';

export const REFRESH = 'refresh_token';
const PARAMETERS = new Set(['grant_type', 'refresh_token']);

interface PlainToken extends PlainSource {
  gty: string;
  iiat: number;
  rotations?: number;
}

const isPlainSource = plainSource(['gty', 'rotations', 'iiat', 'rotatedAt']);
const isPlainToken = (seen: Payload): seen is PlainToken =>
  isPlainSource(seen) && typeof seen['gty'] === 'string' && typeof seen['iiat'] === 'number';

interface Needs {
  config: Pick<Config, 'lifetimes'>;
  refreshTokens: Pick<RefreshTokens, 'newest' | 'succeed'>;
  personTokens: PersonTokens;
}

/** How the tokens came about, the refresh included. */
const withRefresh = (gty: string): string => (gty.endsWith(REFRESH) ? gty : `${gty} ${REFRESH}`);

/** What the next token of the chain keeps. */
function following(seen: PlainToken, next: string, ttl: number): Payload {
  const iat = epochSeconds();
  const rotations = typeof seen.rotations === 'number' ? seen.rotations + 1 : 1;
  return { ...seen, iat, exp: iat + ttl, jti: next, gty: withRefresh(seen.gty), rotations };
}

export const createRefresh =
  ({ config, refreshTokens, personTokens }: Needs) =>
  async (client: Client, params: Record<string, string>): Promise<PlainAnswer | undefined> => {
    const value = params['refresh_token'];
    if (value === undefined || !client.grantTypeAllowed(REFRESH)) return undefined;
    if (!Object.keys(params).every((name) => PARAMETERS.has(name))) return undefined;
    const newest = await refreshTokens.newest(value);
    const token = newest?.seen;
    if (!token || !isPlainToken(token)) return undefined;
    const living = await personTokens.livingOf(token, client);
    if (!living) return undefined;

    const { scope, ...tokens } = await personTokens.issue(token, living, client, withRefresh(token.gty));
    const ttl = refreshTokenLifetime(config.lifetimes, client, epochSeconds() - token.iiat);
    // Last of all: a refresh that fails leaves its token as it was.
    if (!(await refreshTokens.succeed(newest, following(token, newest.next, ttl), ttl))) return undefined;
    return {
      body: { ...tokens, refresh_token: newest.next, scope, token_type: 'Bearer' },
      params,
      accountId: living.account.id,
    };
  };
