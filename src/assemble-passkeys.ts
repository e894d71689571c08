import type { Audit } from './audit/audit.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { Config } from './config/schema.ts';
import { createChallenges } from './factors/challenges.ts';
import type { Factors } from './factors/factors.ts';
import { createPasskeys } from './factors/passkeys.ts';
import type { Passkeys } from './factors/passkeys.ts';
import { relyingPartyOf } from './factors/webauthn.ts';
import type { Logger } from './kernel/logger.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import type { Storage } from './storage/storage.ts';

interface Needs {
  config: Pick<Config, 'issuer' | 'brand' | 'passkeys'>;
  storage: Pick<Storage, 'passkeys' | 'identities'>;
  records: SealedRecords;
  accounts: Accounts;
  factors: Pick<Factors, 'removing' | 'changed'>;
  audit: Audit;
  log: Logger;
}

/** Undefined where passkeys are switched off, or the issuer is named by an address and cannot have any. */
export function assemblePasskeys({
  config,
  storage,
  records,
  accounts,
  factors,
  audit,
  log,
}: Needs): Passkeys | undefined {
  const rp = relyingPartyOf(config.issuer, config.brand.name);
  if (!config.passkeys.enabled || !rp) return undefined;
  return createPasskeys({
    rp,
    store: storage.passkeys,
    challenges: createChallenges({ records }),
    accounts,
    factors,
    async hasOtherWayIn(id) {
      const account = await accounts.find(id);
      return Boolean(account?.password_hash) || (await storage.identities.listByAccount(id)).length > 0;
    },
    audit,
    log,
  });
}
