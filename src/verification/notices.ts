/** Mails that tell a person of something that was done, so that they can act if it was not them. */
import type { Account } from '../accounts/account.ts';
import { ANY_LANGUAGE, readsBest } from '../accounts/profile.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { AccountLinks } from './account-links.ts';

/** What can happen to somebody's second factors; each has a mail of its name. */
export const FACTOR_CHANGES = [
  'passkey_added',
  'passkey_removed',
  'totp_added',
  'totp_removed',
  'recovery_codes_renewed',
  'recovery_code_used',
  'device_forgotten',
  'devices_forgotten',
  'factors_reset',
] as const;
export type FactorChange = (typeof FACTOR_CHANGES)[number];

export interface Notices {
  passwordChanged(account: Account, locale: string): Promise<void>;
  /** Tells of a sign-in from a device that is not known for the account; of the first one since its password was set it does not. */
  newDevice(account: Account, locale: string, seen: { device: string; app: string }): Promise<void>;
  /** @param about `device`: by which it was done. `left`: recovery codes that there still are. */
  factorChanged(
    account: Account,
    locale: string,
    change: FactorChange,
    about?: { device?: string | undefined; left?: number | undefined },
  ): Promise<void>;
  /** Tells once of each grant that was ended because a used refresh token came again. */
  tokenReused(account: Account, about: { app: string; grantId: string }): Promise<void>;
}

/** In seconds: people read such a mail the next morning. */
const LINK_TTL = 86_400;

/** Marks an account that somebody signed in to; it ends with a new password, as the marks of known devices do. */
const FIRST_DEVICE = 'FirstDevice';
/** In seconds: ten years. */
const FIRST_DEVICE_TTL = 315_360_000;

interface Needs {
  records: Pick<SealedRecords, 'insertIfAbsent'>;
  mailer: Mailer;
  links: Pick<AccountLinks, 'issue'>;
  /** Where people see what happened to their account; undefined where there is no such page. */
  accountUrl: string | undefined;
}

export function createNotices({ mailer, links, records, accountUrl }: Needs): Notices {
  async function send(account: Account, template: string, locale: string, about: Record<string, unknown>) {
    if (!mailer.available) return;
    const url = await links.issue('reset_password', { account, ttl: LINK_TTL });
    const data = { url, name: account.name, time: epochSeconds(), zone: account.claims.zoneinfo, ...about };
    await mailer.send({ to: account.email, template, locale: readsBest(account, locale), data });
  }

  return {
    passwordChanged: (account, locale) => send(account, 'password-changed', locale, {}),
    async newDevice(account, locale, seen) {
      const first = await records.insertIfAbsent(FIRST_DEVICE, account.id, { accountId: account.id }, FIRST_DEVICE_TTL);
      if (!first) await send(account, 'new-device', locale, { ...seen });
    },
    async factorChanged(account, locale, change, about = {}) {
      // Without mail there is nobody to tell.
      if (!mailer.available) return;
      const [{ name, claims }, template] = [account, change.replaceAll('_', '-')];
      const data = { name, time: epochSeconds(), zone: claims.zoneinfo, url: accountUrl, ...about };
      await mailer.send({ to: account.email, template, locale: readsBest(account, locale), data });
    },
    async tokenReused(account, { grantId, app }) {
      const { email, name, claims } = account;
      const data = { name, time: epochSeconds(), zone: claims.zoneinfo, url: accountUrl, app };
      const key = `token reused:${grantId}`;
      // No browser is in it that could be asked for its language.
      await mailer.send({ to: email, template: 'token-reused', locale: readsBest(account, ANY_LANGUAGE), data, key });
    },
  };
}
