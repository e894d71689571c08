/**
 * The JWT bearer grant (RFC 7523, section 2.1): a program brings a statement of an issuer that an admin trusts, and gets a token for one API.
 * Whom a client's statements may come from, whom they may be about and what they are good for is in its own metadata, so that a
 * change counts within a second in every process. A statement is good once.
 */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { errors } from 'oidc-provider';
import type { Account, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { CLIENTS_SIGN_WITH, JWT_BEARER } from '../../clients/protocol.ts';
import type { ProtocolMetadata } from '../../clients/protocol.ts';
import type { Identity, IdentityKey } from '../../federation/identity.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { SealedRecords } from '../../protocol/sealed-records.ts';
import { createIssuing, mayBeUnbound, offeredTo, targetOf, textOf, words } from './issued-for-api.ts';
import type { IssuingNeeds } from './issued-for-api.ts';

const LONGEST = 8000;
const LONGEST_JTI = 300;
/** Seconds that clocks may differ. */
const SKEW = 5;
const MOST_KEY_SETS = 100;
/** What says that it is something else: an access token, a proof, a log-out token must not pass for a statement. */
const TYPES = new Set([undefined, 'jwt', 'application/jwt', 'authorization-grant+jwt']);

type Trusted = NonNullable<ProtocolMetadata['jwt_bearer']>[number];

interface Needs extends IssuingNeeds {
  issuer: string;
  records: Pick<SealedRecords, 'insertIfAbsent'>;
  identities: { find(key: IdentityKey): Promise<Identity | undefined> };
  findAccount(ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined>;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

type Statement = JWTPayload & { sub: string; jti: string; exp: number };

/** Keys of issuers, fetched ones kept for ten minutes and fetched again for a key that nobody knows, at most once a minute. */
function createKeys(fetch: Needs['fetch']) {
  const fetched = new Map<string, JWTVerifyGetKey>();
  return ({ jwks, jwks_uri }: Trusted): JWTVerifyGetKey => {
    if (jwks) return createLocalJWKSet(jwks);
    const known = fetched.get(jwks_uri!);
    if (known) return known;
    const keys = createRemoteJWKSet(new URL(jwks_uri!), {
      cooldownDuration: 60_000,
      cacheMaxAge: 600_000,
      [customFetch]: (url, init) => fetch(url, init),
    });
    if (fetched.size >= MOST_KEY_SETS) fetched.clear();
    fetched.set(jwks_uri!, keys);
    return keys;
  };
}

const refuse = (why: string): never => {
  throw new errors.InvalidGrant(why);
};

/** Who has signed it, to find whom to ask; nothing is believed yet. */
function issuerOf(jwt: string): string | undefined {
  if (jwt.length > LONGEST) return undefined;
  try {
    return decodeJwt(jwt).iss;
  } catch {
    return undefined;
  }
}

/** RFC 7523, section 3. */
function checkTimes({ exp, iat }: Statement, { max_lifetime }: Trusted): void {
  const now = epochSeconds();
  if (exp - now > max_lifetime + SKEW) refuse('the assertion lasts longer than it may');
  if (iat === undefined) return;
  if (iat > now + SKEW) refuse('the assertion is from the future');
  if (exp - iat > max_lifetime + SKEW) refuse('the assertion lasts longer than it may');
}

export function enableJwtBearer(provider: Provider, needs: Needs): void {
  const { records, identities, findAccount } = needs;
  const issue = createIssuing(provider, needs);
  const keysOf = createKeys(needs.fetch);
  const audiences = [needs.issuer, `${needs.issuer}/token`];

  async function verified(jwt: string, trusted: Trusted): Promise<Statement> {
    const { payload, protectedHeader } = await jwtVerify(jwt, keysOf(trusted), {
      issuer: trusted.issuer,
      algorithms: [...CLIENTS_SIGN_WITH],
      requiredClaims: ['sub', 'aud', 'exp', 'jti'],
      clockTolerance: SKEW,
      currentDate: new Date(),
    }).catch((error: unknown) => refuse(`the assertion does not hold: ${(error as Error).message}`));
    if (!TYPES.has(protectedHeader.typ?.toLowerCase())) refuse('the assertion is a token of another kind');
    // For us alone: whoever else it is for could bring it here.
    const [audience, ...others] = [payload.aud ?? []].flat();
    if (others.length > 0 || !audiences.includes(audience!)) refuse('the assertion is for somebody else');
    const { sub, jti } = payload;
    if (typeof sub !== 'string' || sub === '') refuse('the assertion is about nobody');
    if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) refuse('the jti is no short text');
    checkTimes(payload as Statement, trusted);
    return payload as Statement;
  }

  /** Whose account it is about; undefined where the token is the client's own. */
  async function personOf(ctx: KoaContextWithOIDC, { sub }: Statement, trusted: Trusted): Promise<string | undefined> {
    if (trusted.subjects && !trusted.subjects.includes(sub))
      refuse('the assertion is about somebody who is not listed');
    if (trusted.subject === 'client') return undefined;
    const { provider: name, issuer } = trusted;
    const accountId =
      trusted.subject === 'account'
        ? sub
        : (await identities.find({ provider: name!, issuer, subject: sub }))?.account_id;
    const account = accountId === undefined ? undefined : await findAccount(ctx, accountId);
    if (!account) return refuse('the assertion is about nobody here');
    ctx.oidc.entity('Account', account);
    return account.accountId;
  }

  /** What both the statement's issuer may give and the API offers; of that what is asked for, or where nothing is all of it. */
  function scopesFor(ctx: KoaContextWithOIDC, { scopes }: Trusted, offered: string[]): string[] {
    const most = scopes.filter((scope) => offered.includes(scope));
    const asked = words(textOf(ctx, 'scope'));
    const more = asked.find((scope) => !most.includes(scope));
    if (more !== undefined) throw new errors.InvalidScope('the scope is not for such assertions', more);
    return asked.length > 0 ? asked : most;
  }

  async function grant(ctx: KoaContextWithOIDC): Promise<void> {
    const client = ctx.oidc.client!;
    const policy = client['jwt_bearer'] as Trusted[] | undefined;
    if (!policy) throw new errors.UnauthorizedClient('nothing says whose assertions the client may bring');
    mayBeUnbound(ctx, client);
    const jwt = textOf(ctx, 'assertion');
    if (jwt === undefined) throw new errors.InvalidRequest("missing required parameter 'assertion'");
    const from = issuerOf(jwt);
    const trusted =
      policy.find(({ issuer }) => issuer === from) ?? refuse('the issuer of the assertion is not trusted');
    const statement = await verified(jwt, trusted);
    const target = await targetOf(ctx, trusted.to, needs.api);
    const scopes = scopesFor(ctx, trusted, offeredTo(client, target));
    const accountId = await personOf(ctx, statement, trusted);
    // After all that can be wrong with the request: who corrects it may send the statement again. Of all at once one gets past.
    const left = statement.exp + SKEW - epochSeconds();
    if (!(await records.insertIfAbsent('JwtGrant', `${trusted.issuer}\n${statement.jti}`, {}, Math.max(1, left))))
      refuse('the assertion was used already');
    ctx.body = await issue({
      client,
      target,
      scopes,
      gty: 'jwt_bearer',
      longest: Infinity,
      ...(accountId === undefined ? {} : { person: { accountId, sessionUid: undefined } }),
    });
  }

  provider.registerGrantType(JWT_BEARER, grant, ['assertion', 'resource', 'audience', 'scope'], []);
}
