/**
 * Time-based one-time passwords (RFC 6238): SHA-1, six digits, thirty seconds, which is all that every authenticator app knows.
 * The library is loaded when the first code is looked at.
 */
import { epochSeconds } from '../kernel/clock.ts';

const PERIOD = 30;
const CODE = /^\d{6}$/;

/** What somebody types, without what people put between the digits. */
const tidy = (code: string): string => code.replace(/[\s-]/g, '');

const load = () => import('otplib/functional');

/** 160 random bits in base32. */
export async function newTotpSecret(): Promise<string> {
  const { generateSecret } = await load();
  return generateSecret();
}

/** The address that an authenticator app reads from the QR code. */
export async function totpUri(secret: string, { issuer, label }: { issuer: string; label: string }): Promise<string> {
  const { generateURI } = await load();
  return generateURI({ secret, issuer, label });
}

/** @returns the time step of which it is the code, this one or one beside it; undefined for none of them. */
export async function matchingStep(secret: string, code: string): Promise<number | undefined> {
  const token = tidy(code);
  if (!CODE.test(token)) return undefined;
  const { verify } = await load();
  const result = await verify({ secret, token, epoch: epochSeconds(), epochTolerance: PERIOD, period: PERIOD });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}
