/** Storage, keys and the use cases over them: what the command line needs, and what the server adds its pages to. */
import { createAccounts } from './accounts/accounts.ts';
import { newAccountId } from './accounts/new-account.ts';
import { isEmailAddress } from './accounts/email.ts';
import type { Accounts } from './accounts/accounts.ts';
import type { Audit, Operator } from './audit/audit.ts';
import { createBreachCheck } from './accounts/breached-passwords.ts';
import { createMoving } from './accounts/moving/moving.ts';
import type { Moving } from './accounts/moving/moving.ts';
import { createPasswordHasher } from './accounts/password-hasher.ts';
import { ANY_LANGUAGE } from './accounts/profile.ts';
import type { Admins } from './administration/admins.ts';
import type { AppWarnings } from './administration/app-warnings.ts';
import type { Apps } from './administration/apps.ts';
import type { ClaimTables } from './administration/claim-tables.ts';
import type { PeopleMoving } from './administration/moving.ts';
import type { Inviting } from './administration/invitations.ts';
import type { ClientDocuments } from './administration/client-documents.ts';
import type { Settings } from './administration/settings.ts';
import type { Upstreams } from './administration/upstreams.ts';
import type { People } from './administration/people.ts';
import type { TokenPreview } from './administration/token-preview.ts';
import type { Groups, Roles } from './administration/roles.ts';
import { createFactorNews, noteFactors, tellOfReset } from './assemble-factors.ts';
import { assembleAdministration } from './assemble-admin.ts';
import { assembleKeys, assembleVaults } from './assemble-keys.ts';
import type { Keys, VaultFor } from './assemble-keys.ts';
import { assembleMail } from './assemble-mail.ts';
import type { Mail } from './assemble-mail.ts';
import { assembleLogOuts } from './assemble-logout.ts';
import type { LogOuts } from './assemble-logout.ts';
import { assembleLimits } from './assemble-limits.ts';
import { assembleAudit, noteKeys, noteLinking, noteVerification, noteWrongPasswords } from './assemble-audit.ts';
import { authMethods, clientSecrets, grantsOn, tokenBounds } from './assemble-protocol.ts';
import { assembleInvitations, withAnAdmin } from './assemble-people.ts';
import { assembleSettings } from './assemble-settings.ts';
import { assembleProviders, assembleUpstreams } from './assemble-upstreams.ts';
import { assembleRoleBook, goesWithClient } from './assemble-roles.ts';
import { createClients } from './clients/clients.ts';
import { createInitialTokens } from './clients/registrations.ts';
import type { InitialTokens } from './clients/registrations.ts';
import type { Clients } from './clients/clients.ts';
import type { Config } from './config/schema.ts';
import { createFactors } from './factors/factors.ts';
import type { Factors } from './factors/factors.ts';
import { ACR_VALUES } from './factors/levels.ts';
import type { Passkeys } from './factors/passkeys.ts';
import { assemblePasskeys, passkeysAsFactors } from './assemble-passkeys.ts';
import { createLinking } from './federation/linking.ts';
import type { Linking } from './federation/linking.ts';
import type { Providers } from './federation/providers.ts';
import { createCallers } from './http/caller.ts';
import { languageOfBrowser } from './http/language.ts';
import { loadLocales } from './http/locale.ts';
import { loadThemes } from './http/themes.ts';
import { createDraw } from './http/views.ts';
import type { Logger } from './kernel/logger.ts';
import { createLogger } from './log.ts';
import type { Limits } from './limits/limits.ts';
import { createAccess } from './oidc/access.ts';
import type { Access } from './oidc/access.ts';
import type { RoleBook } from './roles/book.ts';
import { createSealedRecords } from './protocol/sealed-records.ts';
import { openStorage } from './storage/open.ts';
import type { Storage } from './storage/storage.ts';
import { UNDO_TTL } from './verification/email-change.ts';
import { createEmailHistory } from './verification/email-history.ts';
import type { Invitations } from './verification/invitations.ts';
import { createVerification } from './verification/verification.ts';
import type { Verification } from './verification/verification.ts';

/** What the commands need: the use cases, without a web server. */
export interface Backstage {
  storage: Storage;
  accounts: Accounts;
  moving: Moving;
  clients: Clients;
  /** By which apps register themselves. */
  initialTokens: InitialTokens;
  /** What admins do to people, apps and APIs. */
  people: People;
  inviting: Inviting;
  peopleMoving: PeopleMoving;
  invitations: Invitations;
  apps: Apps;
  /** What of an app is worth a second look. */
  warnings: AppWarnings;
  clientDocuments: ClientDocuments;
  admins: Admins;
  roles: Roles;
  groups: Groups;
  claimTables: ClaimTables;
  /** Roles, groups and claim tables as this process knows them. */
  book: RoleBook;
  /** What admins do to providers, and the providers as people use them. */
  upstreams: Upstreams;
  providers: Providers;
  /** What admins set over the configuration. */
  settings: Settings;
  /** Calls `follow` when this process has seen that they changed. */
  onSettings(follow: () => void): void;
  access: Access;
  logOuts: LogOuts;
  audit: Audit;
  limits: Limits;
  keys: Keys;
  vaultFor: VaultFor;
  mail: Mail;
  verification: Verification;
  linking: Linking;
  factors: Factors;
  /** Undefined where they are switched off, or the issuer cannot have any. */
  passkeys: Passkeys | undefined;
  /** Which tokens an app would get, where no server runs. */
  commandPreview(): Promise<TokenPreview>;
  close(): Promise<void>;
}

/** Opens the store and the use cases over it. @param operator who runs a command, where one is run. @throws unavailable when the database does not answer. */
export async function assembleBackstage(
  given: Config,
  log: Logger = createLogger(given.log.level),
  operator?: Operator,
) {
  const locales = await loadLocales({
    chosen: languageOfBrowser(given.issuer.startsWith('https:')),
    standard: () => config.brand.locale,
  });
  const themes = await loadThemes(given.themes_dir, locales.catalogue, given.brand.theme);
  for (const { name, strings } of themes.all) locales.addTheme(name, strings);
  const storage = await openStorage(given.storage.url);
  const settings = await assembleSettings({
    config: given,
    storage,
    themes: themes.all.map(({ name }) => name),
    locales: locales.languages.map(({ lang }) => lang),
    log,
  });
  const { config } = settings;
  const book = assembleRoleBook(storage);
  const vaultFor = await assembleVaults(config, storage);
  // What it seals goes to apps and comes back: what is stored has a vault of its own, which `secrets rotate` knows.
  const vault = vaultFor('tokens');
  const records = createSealedRecords({ store: storage.protocol, vault: vaultFor('records') });
  const keys = await assembleKeys({ config, storage, vaultFor, log });
  const hasher = createPasswordHasher(config.passwords);
  const isBreached = createBreachCheck({
    url: config.passwords.breach_check_url,
    enabled: () => config.passwords.breach_check,
    log,
  });
  const passwordMin = () => config.passwords.min_length;
  const history = createEmailHistory({ records, ttl: UNDO_TTL });
  const { reservedFor } = history;
  const callers = createCallers();
  const audit = assembleAudit({ config, store: storage.audit, vault, callers, operator, log });
  const accounts = withAnAdmin(
    noteWrongPasswords(
      createAccounts({ store: storage.accounts, hasher, passwordMin, isBreached, reservedFor }),
      audit,
      callers,
    ),
    records,
  );
  const live = await assembleProviders({ config, storage, vaultFor, log });
  const { providers } = live;
  const clients = createClients({
    ...clientSecrets(vaultFor('clients')),
    authMethods: authMethods(config),
    signedWith: config.keys.algorithms,
    grants: grantsOn(config),
    store: storage.clients,
    consents: goesWithClient(storage),
    providers: live.records.names,
    themes: themes.all.map(({ name }) => name),
    acrValues: ACR_VALUES,
    bounds: tokenBounds(config),
  });
  const logOuts = assembleLogOuts({ config, store: storage.logout, vault: vaultFor('logout'), records, clients, log });
  const { endings } = logOuts;
  const { identities } = storage;
  const secondFactors = createFactors({
    store: storage.factors,
    passkeys: passkeysAsFactors(config, storage.passkeys),
    records,
    vault: vaultFor('factors'),
    get issuer() {
      return config.brand.name;
    },
    settings: config.factors,
    rolesOf: async (person) => (await book.current()).authorityOf(person).roles,
  });
  const limits = assembleLimits({ config, store: storage.counters, vault, log });
  const draw = createDraw({
    cache: config.environment !== 'development',
    overrideOf: (theme, view) => themes.find(theme)?.views.get(view),
  });
  const mail = assembleMail({ config, store: storage.outbox, vault: vaultFor('mail'), locales, draw, log });
  const { mailer } = mail;
  const verified = createVerification({
    issuer: config.issuer,
    accounts,
    records,
    endAccess: (accountId) => endings.account({ accountId, cause: 'recovered' }, async () => undefined),
    vault,
    mailer,
    history,
    identities,
    factors: secondFactors,
    audit,
    accountUrl: config.portal.enabled ? `${config.issuer}/account/activity` : undefined,
  });
  const verification = noteVerification(verified, audit);
  const news = createFactorNews({ audit, accounts, notices: verification.notices, callers, locales, log });
  const factors = noteFactors(secondFactors, audit, news);
  const passkeys = assemblePasskeys({
    config,
    storage,
    records,
    accounts,
    factors,
    mailer,
    providers,
    audit: news,
    log,
  });
  const needed = { accounts, consents: storage.consents, identities, factors, audit, endings };
  const access = tellOfReset(createAccess(needed), news);
  const linking = createLinking({
    identities,
    accounts,
    changeEmail: async (id, email) => {
      const account = await accounts.get(id);
      await verification.emailChanges.change(account, email, String(account.claims['locale'] ?? ANY_LANGUAGE));
    },
    newAccountId,
    isEmailAddress,
    mailAvailable: mailer.available,
  });
  const close = () => storage.close();
  const backstage = {
    storage,
    book,
    callers,
    audit,
    vault,
    vaultFor,
    keys: noteKeys(keys, audit),
    records,
    accounts,
    invitations: assembleInvitations({ config, storage, accounts, audit, mailer }),
    moving: createMoving({
      store: storage.accounts,
      reservedFor,
      isGroup: async (name) => (await book.current()).group(name)?.name === name,
    }),
    clients,
    initialTokens: createInitialTokens(storage.registrations),
    access,
    logOuts,
    limits,
    linking: noteLinking(linking, audit),
    factors,
    passkeys,
    mail,
    verification,
    locales,
    themes,
    draw,
    providers,
    config,
    settings: settings.useCases(audit),
    onSettings: settings.live.onChange,
    liveDocuments: [live.live, settings.live],
    upstreams: assembleUpstreams({ config, providerRecords: live.records, providers, clients, audit }),
    close,
  };
  const done = { ...backstage, ...assembleAdministration(backstage) };
  return {
    ...done,
    // Loaded when it is asked for: a server has an engine of its own.
    async commandPreview() {
      const { assembleCommandPreview } = await import('./assemble-command-preview.ts');
      return assembleCommandPreview({ ...done, log });
    },
  };
}
