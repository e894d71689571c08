/** Wires what follows when somebody's second factors change: it is noted, and told to them by mail. */
import type { Account } from './accounts/account.ts';
import { ANY_LANGUAGE } from './accounts/profile.ts';
import type { Audit } from './audit/audit.ts';
import type { Factors } from './factors/factors.ts';
import type { Callers } from './http/caller.ts';
import { deviceName } from './http/device.ts';
import type { Locales } from './http/locale.ts';
import type { Logger } from './kernel/logger.ts';
import type { Access } from './oidc/access.ts';
import { FACTOR_CHANGES } from './verification/notices.ts';
import type { FactorChange, Notices } from './verification/notices.ts';

interface Needs {
  audit: Pick<Audit, 'record'>;
  accounts: { find(id: string): Promise<Account | undefined> };
  notices: Pick<Notices, 'factorChanged'>;
  callers: Pick<Callers, 'current' | 'context'>;
  locales: Pick<Locales, 'choose'>;
  log: Logger;
}

export interface FactorNews {
  /** Notes an event; of what changed a factor the person is told too. Never rejects, as what was done stands. */
  record: Audit['record'];
  /** Tells the person of something that is noted elsewhere. Never rejects. */
  tell(change: FactorChange, accountId: string, left?: number): Promise<void>;
}

const isChange = (type: string): type is FactorChange => FACTOR_CHANGES.includes(type as FactorChange);

export function createFactorNews({ audit, accounts, notices, callers, locales, log }: Needs): FactorNews {
  /** Of the browser; mails are written in the person's own language where that is known. */
  function locale(): string {
    const ctx = callers.context();
    return ctx ? locales.choose(ctx).lang : ANY_LANGUAGE;
  }

  async function tell(change: FactorChange, accountId: string, left?: number): Promise<void> {
    try {
      const account = await accounts.find(accountId);
      // A passkey is made before the account that it opens: there is nobody to tell yet.
      if (!account) return;
      const device = deviceName(callers.current()?.user_agent ?? '') ?? undefined;
      await notices.factorChanged(account, locale(), change, { device, left });
    } catch (error) {
      log.error({ err: error, change }, 'a person could not be told of a change to their second factors');
    }
  }

  return {
    tell,
    async record(type, accountId, about) {
      await audit.record(type, accountId, about);
      if (isChange(type)) await tell(type, accountId);
    },
  };
}

export function noteFactors(factors: Factors, audit: Pick<Audit, 'record'>, news: FactorNews): Factors {
  const { devices } = factors;
  return {
    ...factors,
    async confirmTotp(accountId, ...given) {
      const right = await factors.confirmTotp(accountId, ...given);
      if (right) await news.record('totp_added', accountId);
      return right;
    },
    async removeTotp(person) {
      const removed = await factors.removeTotp(person);
      if (removed) await news.record('totp_removed', person.id);
      return removed;
    },
    async renewRecoveryCodes(accountId, options) {
      const codes = await factors.renewRecoveryCodes(accountId, options);
      const { record } = options?.with_factor ? audit : news;
      await record('recovery_codes_renewed', accountId);
      return codes;
    },
    async replaceRecoveryCodes(accountId, since) {
      const codes = await factors.replaceRecoveryCodes(accountId, since);
      if (codes) await news.record('recovery_codes_renewed', accountId);
      return codes;
    },
    async useRecoveryCode(accountId, typed) {
      const used = await factors.useRecoveryCode(accountId, typed);
      if (!used) return false;
      const { recovery_codes_left: left } = await factors.of(accountId);
      await audit.record('recovery_code_used', accountId, { detail: { left: String(left) } });
      await news.tell('recovery_code_used', accountId, left);
      return true;
    },
    devices: {
      ...devices,
      async forget(accountId, id) {
        const forgotten = await devices.forget(accountId, id);
        if (forgotten) await news.record('device_forgotten', accountId);
        return forgotten;
      },
      async forgetAll(accountId) {
        const forgotten = await devices.forgetAll(accountId);
        if (forgotten) await news.record('devices_forgotten', accountId);
        return forgotten;
      },
    },
  };
}

/** Whoever's factors an admin has reset is told. */
export const tellOfReset = (access: Access, news: FactorNews): Access => ({
  ...access,
  async resetFactors(id) {
    await access.resetFactors(id);
    await news.tell('factors_reset', id);
  },
});
