import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import type { CompactVerifyGetKey, JWTPayload } from 'jose';
import { epochSeconds } from '../kernel/clock.ts';

export interface Check {
  /** Key of its text in the catalogue. */
  name: 'signature' | 'issuer' | 'audience' | 'expiry' | 'nonce' | 'type';
  ok: boolean;
  /** What was looked at. */
  value: string;
}

/** A JWT taken apart, and what came of checking it. */
export interface Inspected {
  jwt: string;
  header: Record<string, unknown>;
  payload: JWTPayload;
  checks: Check[];
}

interface Expected {
  keys: CompactVerifyGetKey;
  issuer: string;
  audience: string;
  nonce?: string | undefined;
  /** RFC 9068, section 2.1. */
  typ?: string;
}

const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
export const looksLikeJwt = (token: string): boolean => JWT_SHAPE.test(token);

async function signatureHolds(jwt: string, keys: CompactVerifyGetKey): Promise<boolean> {
  try {
    await compactVerify(jwt, keys);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('ERR_J')) return false;
    throw error;
  }
}

/**
 * Checks a token as an app or an API has to (OpenID Connect Core, section 3.1.3.7; RFC 9068, section 4), one check at a time
 * so that each can be shown.
 */
export async function inspect(jwt: string, { keys, issuer, audience, nonce, typ }: Expected): Promise<Inspected> {
  const header = decodeProtectedHeader(jwt);
  const payload = decodeJwt(jwt);
  const audiences = [payload.aud ?? []].flat();
  const { exp = 0 } = payload;
  const checks: Check[] = [
    {
      name: 'signature',
      ok: await signatureHolds(jwt, keys),
      value: `alg ${String(header.alg)}, kid ${String(header.kid)}`,
    },
    { name: 'issuer', ok: payload.iss === issuer, value: String(payload.iss) },
    { name: 'audience', ok: audiences.includes(audience), value: audiences.join(' ') },
    { name: 'expiry', ok: exp > epochSeconds(), value: new Date(exp * 1000).toISOString() },
  ];
  if (nonce !== undefined)
    checks.push({ name: 'nonce', ok: payload['nonce'] === nonce, value: String(payload['nonce']) });
  if (typ !== undefined) checks.push({ name: 'type', ok: header.typ === typ, value: String(header.typ) });
  return { jwt, header: { ...header }, payload, checks };
}
