/** What the pages of an interaction need of the rest of the house. */
import type { Provider } from 'oidc-provider';
import type { Accounts } from '../accounts/accounts.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config/schema.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Factors } from '../factors/factors.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import type { Linking } from '../federation/linking.ts';
import type { Providers } from '../federation/providers.ts';
import type { Afterwards } from '../http/afterwards.ts';
import type { ContinueTo } from '../http/continue.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Language } from '../http/language.ts';
import type { Locales } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Limits } from '../limits/limits.ts';
import type { Endings } from '../logout/endings.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { Restarts } from '../oidc/restarts.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Verification } from '../verification/verification.ts';
import type { createDeadEnds } from './dead-ends.ts';
import type { createNewPassword } from './new-password.ts';
import type { Visitor } from './visitor.ts';

export interface InteractionNeeds {
  config: Pick<Config, 'issuer' | 'sign_up' | 'sign_in' | 'passkeys' | 'factors'>;
  provider: Provider;
  accounts: Accounts;
  consents: ConsentStore;
  directory: { api(resource: string): Promise<Client | undefined> };
  records: SealedRecords;
  endings: Pick<Endings, 'session'>;
  limits: Limits;
  visitor: Visitor;
  restarts: Restarts;
  /** Keeps what came to a dead end. */
  note: Parameters<typeof createDeadEnds>[0]['note'];
  render: Render;
  locales: Locales;
  language: Language;
  csrf: Csrf;
  continueTo: ContinueTo;
  verification: Verification;
  mailer: Pick<Mailer, 'available' | 'send'>;
  afterwards: Afterwards;
  providers: Providers;
  linking: Linking;
  /** Undefined where they are switched off, or the issuer cannot have any. */
  passkeys: Passkeys | undefined;
  book: Pick<RoleBook, 'current'>;
  /** The account is not to be deleted after all. */
  keep(accountId: string): Promise<void>;
  /** The password that was demanded. @throws conflict where it is not any more. */
  choose: Parameters<typeof createNewPassword>[0]['choose'];
  factors: Factors;
  log: Logger;
}
