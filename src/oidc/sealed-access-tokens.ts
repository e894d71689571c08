/**
 * Opaque access tokens carry themselves, sealed: nobody but us can read or make one, and issuing one writes nothing. What ends
 * them before their time is looked up when they are used: their grant, which the library asks for, and, as with JWTs, a mark
 * that lasts as long as the token would have.
 */
import { epochSeconds } from '../kernel/clock.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { isRevoked, markRevoked } from './revocation-marks.ts';

const CONTEXT = 'access token';

export interface TokenPayload {
  jti: string;
  exp: number;
  kind: string;
}

export interface SealedAccessTokens {
  /** The token that carries `payload`. */
  seal(payload: object): string;
  /** The payload of a token of this kind that is neither expired nor revoked. Its grant is the caller's to check. */
  find(kind: string, token: string): Promise<TokenPayload | undefined>;
  revoke(token: TokenPayload): Promise<void>;
}

export function createSealedAccessTokens({
  vault,
  records,
}: {
  vault: Vault;
  records: SealedRecords;
}): SealedAccessTokens {
  function open(token: string): TokenPayload | undefined {
    try {
      return JSON.parse(vault.open(Buffer.from(token, 'base64url'), CONTEXT)) as TokenPayload;
    } catch {
      return undefined; // not one of ours
    }
  }

  return {
    seal: (payload) => vault.seal(JSON.stringify(payload), CONTEXT).toString('base64url'),
    async find(kind, token) {
      const payload = open(token);
      if (payload?.kind !== kind || payload.exp <= epochSeconds()) return undefined;
      return (await isRevoked(records, payload.jti)) ? undefined : payload;
    },
    revoke: (token) => markRevoked(records, token),
  };
}
