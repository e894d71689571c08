/** Wires what concerns people as admins handle them, beside their accounts. */
import type { Accounts } from './accounts/accounts.ts';
import { keepLastAdmin } from './accounts/last-admin.ts';
import type { Audit } from './audit/audit.ts';
import type { Config } from './config/schema.ts';
import type { Mailer } from './mail/mailer.ts';
import type { SealedRecords } from './protocol/sealed-records.ts';
import type { Storage } from './storage/storage.ts';
import { createInvitations } from './verification/invitations.ts';

interface Needs {
  config: Config;
  storage: Storage;
  accounts: Accounts;
  audit: Audit;
  mailer: Mailer;
}

export const assembleInvitations = ({ config, storage, ...needs }: Needs) =>
  createInvitations({
    ...needs,
    store: storage.invitations,
    issuer: config.issuer,
    lifetime: config.lifetimes.invitation,
  });

/** The accounts, with the rule that an admin is left. */
export const withAnAdmin = (accounts: Accounts, records: SealedRecords): Accounts =>
  keepLastAdmin({ accounts, records });
