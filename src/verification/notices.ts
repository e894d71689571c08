/** Mails that tell a person of something that was done, so that they can act if it was not them. */
import type { Account } from '../accounts/account.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { AccountLinks } from './account-links.ts';

export interface Notices {
  passwordChanged(account: Account, locale: string): Promise<void>;
  newDevice(account: Account, locale: string, seen: { device: string; app: string }): Promise<void>;
}

const timeIn = (locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(new Date()) +
  ' UTC';

/** In seconds: people read such a mail the next morning. */
const LINK_TTL = 86_400;

interface Needs {
  mailer: Mailer;
  links: Pick<AccountLinks, 'issue'>;
}

export function createNotices({ mailer, links }: Needs): Notices {
  async function send(account: Account, template: string, locale: string, about: Record<string, unknown>) {
    if (!mailer.available) return;
    const url = await links.issue('reset_password', { account, ttl: LINK_TTL });
    const data = { url, name: account.name, time: timeIn(locale), ...about };
    await mailer.send({ to: account.email, template, locale, data });
  }

  return {
    passwordChanged: (account, locale) => send(account, 'password-changed', locale, {}),
    newDevice: (account, locale, seen) => send(account, 'new-device', locale, { ...seen }),
  };
}
