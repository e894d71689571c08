/** Wires passkeys, and says who gets in without them. */
import type { Account } from './accounts/account.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { Audit } from './audit/audit.ts';
import type { Config } from './config/schema.ts';
import { createChallenges } from './factors/challenges.ts';
import type { Factors } from './factors/factors.ts';
import { createPasskeys } from './factors/passkeys.ts';
import type { PasskeyStore } from './factors/passkey-store.ts';
import type { Passkeys } from './factors/passkeys.ts';
import { relyingPartyOf } from './factors/webauthn.ts';
import type { Logger } from './kernel/logger.ts';
import type { Mailer } from './mail/mailer.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import type { Storage } from './storage/storage.ts';

/** Undefined where passkeys are switched off, or the issuer is named by an address and cannot have any. */
const partyOf = ({ issuer, brand, passkeys }: Pick<Config, 'issuer' | 'brand' | 'passkeys'>) =>
  passkeys.enabled ? relyingPartyOf(issuer, () => brand.name) : undefined;

/** What second factors need to know of passkeys. Those that nobody can use, as they are switched off, count for nothing. */
export const passkeysAsFactors = (config: Pick<Config, 'issuer' | 'brand' | 'passkeys'>, store: PasskeyStore) => ({
  count: async (accountId: string) => (partyOf(config) ? (await store.listByAccount(accountId)).length : 0),
  deleteByAccount: store.deleteByAccount,
});

interface WayNeeds {
  config: Pick<Config, 'sign_in'>;
  /** Upstream providers there are now. */
  providers: { find(name: string): unknown };
  storage: Pick<Storage, 'identities'>;
  accounts: Pick<Accounts, 'find'>;
  mailer: Pick<Mailer, 'available'>;
}

/** Whether a person gets in by mail alone. */
export function signsInByMail({ config, mailer }: WayNeeds, account: Pick<Account, 'email_verified'> | undefined) {
  return config.sign_in.mailed && mailer.available && account?.email_verified === true;
}

/** Whether a person gets in without any passkey. A provider that is gone, or off, lets nobody in. */
async function hasOtherWayIn(needs: WayNeeds, id: string): Promise<boolean> {
  const account = await needs.accounts.find(id);
  if (account?.password_hash || signsInByMail(needs, account)) return true;
  const identities = await needs.storage.identities.listByAccount(id);
  return identities.some(({ provider }) => needs.providers.find(provider) !== undefined);
}

interface Needs extends WayNeeds {
  config: Pick<Config, 'issuer' | 'brand' | 'passkeys' | 'sign_in'>;
  storage: Pick<Storage, 'passkeys' | 'identities'>;
  records: SealedRecords;
  accounts: Accounts;
  factors: Pick<Factors, 'removing' | 'changed'>;
  audit: Pick<Audit, 'record'>;
  log: Logger;
}

export function assemblePasskeys(needs: Needs): Passkeys | undefined {
  const rp = partyOf(needs.config);
  if (!rp) return undefined;
  return createPasskeys({
    ...needs,
    rp,
    store: needs.storage.passkeys,
    challenges: createChallenges(needs),
    hasOtherWayIn: (id) => hasOtherWayIn(needs, id),
  });
}
