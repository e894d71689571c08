/** Mails that tell a person of something that was done, so that they can act if it was not them. */
import type { Account } from '../accounts/account.ts';
import { readsBest } from '../accounts/profile.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { AccountLinks } from './account-links.ts';

export interface Notices {
  passwordChanged(account: Account, locale: string): Promise<void>;
  /** Tells of a sign-in from a device that is not known for the account; of the first one since its password was set it does not. */
  newDevice(account: Account, locale: string, seen: { device: string; app: string }): Promise<void>;
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
}

export function createNotices({ mailer, links, records }: Needs): Notices {
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
  };
}
