/** Verifies the log-out tokens that Gatehouse sends (OpenID Connect Back-Channel Logout 1.0, section 2.6). To be copied as it is. */
import { createRemoteJWKSet, jwtVerify } from 'jose';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const CLOCKS_DIFFER_SECONDS = 30;

/** Whose session ends: the one the app knows by `sid`, or all of the person `sub` where there is none. */
export interface LogOut {
  sub?: string;
  sid?: string;
}

/** @returns a function that gives what a token says, and throws where it is forged, stale, for somebody else or a copy. */
export function logOutTokens({ issuer, clientId, jwksUri }: { issuer: string; clientId: string; jwksUri: string }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  /** `jti` and when it may be forgotten. Several processes keep them in their database. */
  const seen = new Map<string, number>();

  return async (token: string): Promise<LogOut> => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      typ: 'logout+jwt', // an ID token is none
      requiredClaims: ['iat', 'exp', 'jti'],
      clockTolerance: CLOCKS_DIFFER_SECONDS,
    });
    const { sub, sid, jti, exp, events, nonce } = payload as typeof payload & { events?: object; sid?: unknown };
    if (typeof events !== 'object' || !(EVENT in events) || nonce !== undefined) throw new Error('not a log-out token');
    if (sub === undefined && typeof sid !== 'string') throw new Error('it names nobody');
    for (const [id, until] of seen) if (until < Date.now()) seen.delete(id);
    if (seen.has(jti!)) throw new Error('it was used before');
    seen.set(jti!, (exp! + CLOCKS_DIFFER_SECONDS) * 1000);
    return { ...(sub === undefined ? {} : { sub }), ...(typeof sid === 'string' ? { sid } : {}) };
  };
}
