/** When a person is asked whether they want a passkey: once, on a device that can make one, and not again for a while. */
import type { Context } from 'koa';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Proof } from './dispatch.ts';

/** In seconds: 30 days. */
const NOT_AGAIN_FOR = 30 * 86_400;

/** Who signed in with what is already as good is not asked. */
const OFFERED_AFTER = new Set(['password', 'mailed_link', 'mailed_code']);

export interface PasskeyOffer {
  isDue(ctx: Context, proof: Proof): Promise<boolean>;
  /** The person has answered: this device is not asked again for 30 days. */
  answered(ctx: Context): void;
}

interface Needs {
  passkeys: Pick<Passkeys, 'list'>;
  enabled: boolean;
  https: boolean;
}

export const offerCookie = (https: boolean): string => `${https ? '__Host-' : ''}gatehouse_passkey_offer`;

/**
 * The page's script writes `able` into a cookie where the device has an authenticator of its own; no script, no offer. The answer
 * replaces it. It is no secret and nobody gains by changing it, so it is neither signed nor hidden from the script.
 */
export function createPasskeyOffer({ passkeys, enabled, https }: Needs): PasskeyOffer {
  const name = offerCookie(https);
  return {
    async isDue(ctx, { method, account_id }) {
      if (!enabled || !OFFERED_AFTER.has(method)) return false;
      if (ctx.cookies.get(name, { signed: false }) !== 'able') return false;
      return (await passkeys.list(account_id)).length === 0;
    },
    answered(ctx) {
      const options = { signed: false, httpOnly: false, sameSite: 'lax', secure: https, path: '/' } as const;
      ctx.cookies.set(name, 'answered', { ...options, maxAge: NOT_AGAIN_FOR * 1000 });
    },
  };
}
