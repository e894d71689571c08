/** The room put together. */
import type { Accounts } from '../accounts/accounts.ts';
import type { Vault } from '../kernel/secrets.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import { createAccountLinks } from './account-links.ts';
import { createMailedCodes } from './codes.ts';
import type { MailedCodes } from './codes.ts';
import { createConfirmations } from './confirm.ts';
import type { Confirmations } from './confirm.ts';
import { createEmailChanges } from './email-change.ts';
import type { EmailChanges } from './email-change.ts';
import type { EmailHistory } from './email-history.ts';
import { createJourneyMail } from './journey-mail.ts';
import type { JourneyMail } from './journey-mail.ts';
import { createMailedLinks } from './links.ts';
import { createNotices } from './notices.ts';
import type { Notices } from './notices.ts';
import { createPlanted } from './planted.ts';
import { createAddressProofs } from './proofs.ts';
import { createRecovery } from './recovery.ts';
import type { Recovery } from './recovery.ts';
import { createMailRequests } from './request.ts';

export interface Verification {
  journeyMail: JourneyMail;
  confirmations: Confirmations;
  recovery: Recovery;
  emailChanges: EmailChanges;
  notices: Notices;
  codes: MailedCodes;
}

interface Needs {
  issuer: string;
  accounts: Accounts;
  records: SealedRecords;
  /** Ends all that acts in a person's name. */
  endAccess(accountId: string): Promise<void>;
  vault: Vault;
  mailer: Mailer;
  history: EmailHistory;
  identities: { deleteByAccount(accountId: string): Promise<void> };
  factors: { erase(accountId: string): Promise<void> };
  audit: { record(type: 'account_claimed', accountId: string): Promise<void> };
  accountUrl: string | undefined;
}

export function createVerification({
  issuer,
  accounts,
  records,
  endAccess,
  vault,
  mailer,
  history,
  identities,
  factors,
  audit,
  accountUrl,
}: Needs): Verification {
  const links = createMailedLinks({ records, issuer });
  const accountLinks = createAccountLinks({ links, accounts, vault });
  const codes = createMailedCodes({ records, vault });
  const requests = createMailRequests(records);
  const planted = createPlanted({ accounts, endAccess, links: accountLinks, identities, factors, audit });
  const proofs = createAddressProofs({ accounts, planted });
  const notices = createNotices({ mailer, links: accountLinks, records, accountUrl });
  const recovery = createRecovery({ accounts, links: accountLinks, mailer, planted, notices, requests });
  const journeyMail = createJourneyMail({ accounts, requests, links, accountLinks, codes, proofs, recovery, mailer });
  const emailChanges = createEmailChanges({ accounts, accountLinks, links, history, mailer, planted, recovery });
  const confirmations = createConfirmations({
    links,
    accountLinks,
    requests,
    journeyMail,
    proofs,
    planted,
    recovery,
    mailer,
  });
  return { journeyMail, confirmations, recovery, emailChanges, notices, codes };
}
