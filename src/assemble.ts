/** The composition root: opens storage and keys, wires the rooms by their narrow needs, and gives back what main and the commands use. */
import { createAccounts, newAccountId } from './accounts/accounts.ts';
import { isEmailAddress } from './accounts/email.ts';
import type { Accounts } from './accounts/accounts.ts';
import { startErasing } from './accounts/erasing.ts';
import type { Audit } from './audit/audit.ts';
import { createBreachCheck } from './accounts/breached-passwords.ts';
import { createMoving } from './accounts/moving/moving.ts';
import type { Moving } from './accounts/moving/moving.ts';
import { createPasswordHasher } from './accounts/password-hasher.ts';
import type { Admins } from './administration/admins.ts';
import { startWarningOfSecrets } from './administration/expiring-secrets.ts';
import type { Apps } from './administration/apps.ts';
import type { ClaimTables } from './administration/claim-tables.ts';
import type { PeopleMoving } from './administration/moving.ts';
import type { Inviting } from './administration/invitations.ts';
import type { ClientDocuments } from './administration/client-documents.ts';
import type { Settings } from './administration/settings.ts';
import type { Upstreams } from './administration/upstreams.ts';
import type { People } from './administration/people.ts';
import type { Groups, Roles } from './administration/roles.ts';
import type { TokenPreview } from './administration/token-preview.ts';
import { createApp } from './app.ts';
import type { RequestHandler } from './app.ts';
import { createFactorNews, noteFactors, tellOfReset } from './assemble-factors.ts';
import { assembleAdmin, assembleAdministration } from './assemble-admin.ts';
import { assembleDocuments, keepingApps, startForgettingDocuments } from './assemble-documents.ts';
import { assembleCiba } from './assemble-ciba.ts';
import { assembleConsole } from './assemble-console.ts';
import { assembleKeys, assembleVaults } from './assemble-keys.ts';
import type { Keys, VaultFor } from './assemble-keys.ts';
import { assembleMail } from './assemble-mail.ts';
import type { Mail } from './assemble-mail.ts';
import { assembleLogOuts } from './assemble-logout.ts';
import type { LogOuts } from './assemble-logout.ts';
import { assembleGuards, assembleLimits, assembleVisitor, warnWithoutLimits } from './assemble-limits.ts';
import {
  adoptOldRecords,
  assembleAudit,
  startLoggingHeads,
  noteConsents,
  noteKeys,
  noteLinking,
  noteSignOut,
  noteVerification,
  noteWrongPasswords,
} from './assemble-audit.ts';
import { assembleLanguage } from './assemble-language.ts';
import {
  assembleProtocol,
  authMethods,
  clientSecrets,
  grantsOn,
  tokenBounds,
  warnOfLoosenedRules,
} from './assemble-protocol.ts';
import { assembleInvitations, withAnAdmin } from './assemble-people.ts';
import { assemblePortal } from './assemble-portal.ts';
import { assemblePreview } from './assemble-preview.ts';
import { assembleRefusals } from './assemble-refusals.ts';
import { assembleRegistration } from './assemble-registration.ts';
import { assembleSettings } from './assemble-settings.ts';
import { assembleProviders, assembleUpstreams } from './assemble-upstreams.ts';
import { followDocuments } from './kernel/live-documents.ts';
import { assembleReuse } from './assemble-reuse.ts';
import { assembleRoleBook, finishRenaming, goesWithClient } from './assemble-roles.ts';
import { createClients } from './clients/clients.ts';
import { createInitialTokens } from './clients/registrations.ts';
import type { InitialTokens } from './clients/registrations.ts';
import type { Clients } from './clients/clients.ts';
import type { Config } from './config/schema.ts';
import { demoPerson, DEMO } from './demo.ts';
import { createAfterwards } from './http/afterwards.ts';
import { createFactors } from './factors/factors.ts';
import type { Factors } from './factors/factors.ts';
import { ACR_VALUES } from './factors/levels.ts';
import type { Passkeys } from './factors/passkeys.ts';
import { assemblePasskeys, passkeysAsFactors } from './assemble-passkeys.ts';
import { createLinking } from './federation/linking.ts';
import type { Linking } from './federation/linking.ts';
import type { Providers } from './federation/providers.ts';
import { assets } from './http/assets.ts';
import { createCallers } from './http/caller.ts';
import { createContinueTo } from './http/continue.ts';
import { createCsrf } from './http/csrf.ts';
import { languageOfBrowser } from './http/language.ts';
import { loadLocales } from './http/locale.ts';
import { createRender } from './http/render.ts';
import { loadThemes } from './http/themes.ts';
import { createDraw } from './http/views.ts';
import { createDeadEnds } from './interaction/dead-ends.ts';
import { logoRoutes } from './interaction/logos.ts';
import { mailedLinkRoutes } from './interaction/mailed-links.ts';
import { createDevicePages } from './interaction/device-pages.ts';
import { createProviderPages } from './interaction/provider-pages.ts';
import { invitationRoutes } from './interaction/invitation-routes.ts';
import { interactionRoutes } from './interaction/routes.ts';
import { signedOutRoutes } from './interaction/signed-out.ts';
import type { Logger } from './kernel/logger.ts';
import { issuerPath } from './kernel/urls.ts';
import type { LiveKeys } from './keys/live-keys.ts';
import { landingRoutes } from './landing/routes.ts';
import { createLogger } from './log.ts';
import type { Limits } from './limits/limits.ts';
import { createAccess } from './oidc/access.ts';
import type { Access } from './oidc/access.ts';
import { noteAppUses } from './oidc/app-uses.ts';
import { createClientDirectory } from './oidc/client-directory.ts';
import { handleFailures } from './oidc/failures.ts';
import { signLogoutToken } from './oidc/library.ts';
import { createProvider, findAccessToken } from './oidc/provider.ts';
import type { ProviderNeeds } from './oidc/provider.ts';
import { noteRefusals } from './oidc/refusals.ts';
import { createRestarts } from './oidc/restarts.ts';
import { createSessions } from './oidc/sessions.ts';
import { noteTokens } from './oidc/token-events.ts';
import type { TokenEvent } from './oidc/token-events.ts';
import { healthRoutes } from './operations/health.ts';
import type { VisitRoute } from './visits/visit.ts';
import type { RoleBook } from './roles/book.ts';
import { createSealedRecords } from './protocol/sealed-records.ts';
import { startSweeper } from './protocol/sweeper.ts';
import { openStorage } from './storage/open.ts';
import type { Storage } from './storage/storage.ts';
import { UNDO_TTL } from './verification/email-change.ts';
import { createEmailHistory } from './verification/email-history.ts';
import type { Invitations } from './verification/invitations.ts';
import { createVerification } from './verification/verification.ts';
import type { Verification } from './verification/verification.ts';
import { version } from './version.ts';

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
  close(): Promise<void>;
}

export interface Gatehouse extends Backstage {
  /** Which tokens an app would get. */
  preview: TokenPreview;
  handle: RequestHandler;
  /** The signing keys as this process knows them. */
  liveKeys: LiveKeys;
  /** The demo person's sign-in, where there is one. */
  demo: typeof DEMO | null;
  /** From now on readiness is red, so that load balancers look elsewhere. */
  drain(): void;
  /** What the account page serves. */
  accountRoutes: VisitRoute[];
  /** What the console serves. */
  consoleRoutes: VisitRoute[];
}

/** Opens the store and the use cases over it. @throws unavailable when the database does not answer. */
export async function assembleBackstage(given: Config, log: Logger = createLogger(given.log.level)) {
  const locales = await loadLocales({ chosen: languageOfBrowser(given.issuer.startsWith('https:')) });
  const themes = await loadThemes(given.themes_dir, locales.catalogue, given.brand.theme);
  for (const { name, strings } of themes.all) locales.addTheme(name, strings);
  const storage = await openStorage(given.storage.url);
  const settings = await assembleSettings({ config: given, storage, themes: themes.all.map(({ name }) => name), log });
  const { config } = settings;
  const book = assembleRoleBook(storage);
  const vaultFor = await assembleVaults(config, storage);
  // What it seals goes to apps and comes back: what is stored has a vault of its own, which `secrets rotate` knows.
  const vault = vaultFor('tokens');
  const records = createSealedRecords({ store: storage.protocol, vault: vaultFor('records') });
  const keys = await assembleKeys({ config, storage, vaultFor, log });
  const hasher = createPasswordHasher(config.passwords);
  const isBreached = createBreachCheck({ url: config.passwords.breach_check_url, log });
  const history = createEmailHistory({ records, ttl: UNDO_TTL });
  const { reservedFor } = history;
  const callers = createCallers();
  const audit = assembleAudit({ config, store: storage.audit, vault, callers, log });
  const accounts = withAnAdmin(
    noteWrongPasswords(createAccounts({ store: storage.accounts, hasher, isBreached, reservedFor }), audit, callers),
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
      await verification.emailChanges.change(account, email, String(account.claims['locale'] ?? 'en'));
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
    moving: createMoving({ store: storage.accounts, reservedFor }),
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
    liveDocuments: [live.live, settings.live],
    upstreams: assembleUpstreams({ config, providerRecords: live.records, providers, clients, audit }),
    close,
  };
  return { ...backstage, ...assembleAdministration(backstage) };
}

/** The whole program, ready to serve. @throws unavailable when the database does not answer. */
export async function assemble(given: Config, log: Logger): Promise<Gatehouse> {
  const backstage = await assembleBackstage(given, log);
  const { config } = backstage;
  const {
    storage,
    vault,
    records,
    accounts,
    clients,
    limits,
    linking,
    factors,
    mail,
    verification,
    providers,
    locales,
    themes,
    draw,
  } = backstage;
  const { callers, audit, access, logOuts } = backstage;
  const { mailer } = mail;
  const { consents } = storage;
  const base = issuerPath(config.issuer);
  const demo = config.demo.enabled ? DEMO : null;
  if (demo) await demoPerson(accounts);

  const csrf = createCsrf({ vault, https: config.issuer.startsWith('https:') });
  const render = createRender({ config, draw, themes, csrf, locales, version });
  const afterwards = createAfterwards({ log });
  const continueTo = createContinueTo(render);
  const guards = assembleGuards({ config, store: storage.counters, vault, limits, log });
  const refusals = assembleRefusals({ audit, log, clientAddress: guards.clientAddress });
  const visitor = assembleVisitor({ config, clientAddress: guards.clientAddress, records });
  warnWithoutLimits(config, log);
  warnOfLoosenedRules(config, log);
  for (const { file, line, problem } of themes.all.flatMap((theme) => theme.problems))
    log.warn({ file, line }, `a theme has a problem: ${problem}`);
  const restarts = createRestarts(records);
  const documents = await assembleDocuments({ ...backstage, config, log });
  const directory = createClientDirectory({
    clients,
    documents,
    grants: grantsOn(config),
    ...clientSecrets(backstage.vaultFor('clients')),
  });
  const liveKeys = await backstage.keys.live();

  // The pages are drawn by a room that needs the provider, which needs the pages: only this late binding ties the knot.
  const pages = createProviderPages({
    accounts,
    render,
    log,
    deadEnd: (ctx, reason, uid) => deadEnds.show(ctx, reason, uid),
  });
  const noteToken = (event: TokenEvent) => {
    if (config.audit.tokens) audit.token(event);
  };
  const extensions = assembleProtocol(config);
  const ciba = assembleCiba({ ...backstage, config, log });
  const engineNeeds: ProviderNeeds = {
    config,
    liveKeys,
    keySetFetches: backstage.keys.fetches,
    records,
    directory,
    accounts,
    book: backstage.book,
    consents,
    factors,
    canEnrolPasskey: backstage.passkeys !== undefined,
    vault,
    restarts,
    pages,
    ...guards,
    ...extensions,
    asking: ciba.asking,
    identities: storage.identities,
    devicePages: createDevicePages({ ...guards, render, issuer: config.issuer, base }),
    limits,
    browserOf: (ctx) => csrf.token(ctx),
    caller: callers.current,
    onSignIn: (accountId, detail) => audit.record('sign_in', accountId, { detail }),
    onToken: noteToken,
    onReuse: assembleReuse({ ...backstage, notices: verification.notices, log }),
    logOuts: { ...logOuts, onSignOut: noteSignOut(audit) },
  };
  const engine = createProvider(engineNeeds);
  const preview = assemblePreview(backstage, engineNeeds);
  const { provider } = engine;
  noteAppUses({ provider, consents, after: afterwards.after });
  const deadEnds = createDeadEnds({ provider, restarts, csrf, render, base, note: refusals.ofDeadEnd });
  if (config.audit.tokens) noteTokens({ provider, note: noteToken });
  noteRefusals({ provider, note: refusals.ofProtocol });
  handleFailures({ provider, log });

  // Loaded only where it is served. Like any app it calls the provider, here through the very handler it is part of.
  const playground = config.playground.enabled
    ? await (
        await import('./playground/routes.ts')
      ).playgroundRoutes({ config, clients, records, render, csrf, demo, handle: () => handle })
    : undefined;

  const mailbox =
    mail.mode === 'mailbox'
      ? (await import('./mailbox/routes.ts')).mailboxRoutes({ config, ...mail, render, locales, csrf })
      : undefined;

  const sessions = createSessions({ provider, records, endings: logOuts.endings, vault });
  const language = assembleLanguage({ config, accounts, sessions, locales, csrf });
  const approvals = ciba.approvals({ provider, directory, consents: noteConsents(consents, audit) });
  const visited = {
    ...backstage,
    preview,
    config,
    approvals,
    sessions,
    providers,
    render,
    continueTo,
    csrf,
    handle: () => handle,
  };
  const portal = config.portal.enabled ? await assemblePortal(visited) : undefined;
  const console = config.admin.console ? await assembleConsole(visited) : undefined;

  const registering = await assembleRegistration({
    ...backstage,
    ...guards,
    config,
    provider,
    clientFetch: extensions.clientFetch,
    afterwards,
    log,
  });

  const stopForgetting = startForgettingDocuments({ ...backstage, config, provider, afterwards, log });
  const findToken = (token: string) => findAccessToken(provider, token);
  const admin = await assembleAdmin({ ...backstage, preview, config, findToken, render, csrf, log });

  let draining = false;
  const handle: RequestHandler = createApp({
    config,
    engine,
    log,
    render,
    continueTo,
    rooms: {
      assets: assets(config.brand, config.federation, themes),
      health: healthRoutes({ storage, draining: () => draining }),
      landing: landingRoutes({ config, render, version, demo, mailbox: mailbox !== undefined }),
      interaction: interactionRoutes({
        config,
        provider,
        accounts,
        consents: keepingApps(noteConsents(consents, audit), documents),
        directory,
        book: backstage.book,
        records,
        endings: logOuts.endings,
        limits,
        visitor,
        restarts,
        note: refusals.ofDeadEnd,
        render,
        locales,
        language: language.language,
        csrf,
        continueTo,
        verification,
        mailer,
        afterwards,
        providers,
        linking,
        passkeys: backstage.passkeys,
        async keep(accountId) {
          if (await accounts.keep(accountId)) await audit.record('deletion_cancelled', accountId);
        },
        factors,
        log,
      }),
      invitations: invitationRoutes({
        ...backstage,
        visitor,
        csrf,
        render,
        base,
        home: config.portal.enabled ? `${base}/account` : null,
      }),
      mailedLinks: mailedLinkRoutes({ verification, accounts, limits, visitor, csrf, locales, render, base }),
      signedOut: signedOutRoutes({ receipts: logOuts.receipts, render, continueTo }),
      logos: logoRoutes({ clients, allowPrivate: config.outbound.allow_private, log }),
      language: language.route,
      playground,
      mailbox,
      portal: portal?.middleware,
      registration: registering.routes,
      admin: admin.api,
      adminMetadata: admin.metadata,
      console: console?.middleware,
      firstAdmin: admin.firstAdmin,
    },
    refused: refusals.ofPage,
    caller: callers.middleware({ ...guards, afterwards }),
  });
  const stopKeys = liveKeys.start();
  const stopFollowing = followDocuments(storage.liveDocuments, backstage.liveDocuments, log);
  const stopMail = await mail.start();
  const stopPings = ciba.start();
  const stopLogOuts = logOuts.start(async (claims) => {
    await liveKeys.refresh(); // no request comes before it, which would look
    return signLogoutToken(provider, claims);
  });
  await adoptOldRecords(audit, records);
  finishRenaming(backstage, log);
  const stopLoggingHeads = startLoggingHeads(audit, log);
  const stopErasing = startErasing({ accounts, erase: (id) => access.remove(id), log }, async () => {
    await audit.purge();
    await backstage.invitations.purge();
  });
  const sweepings = [storage.protocol, storage.counters].map((store) =>
    startSweeper(store, (error) => log.warn({ err: error }, 'sweeping expired records failed')),
  );

  sweepings.push(startWarningOfSecrets({ clients: backstage.clients, log }));

  return {
    ...backstage,
    preview,
    handle,
    accountRoutes: portal?.routes ?? [],
    consoleRoutes: console?.routes ?? [],
    liveKeys,
    demo,
    drain: () => {
      draining = true;
    },
    async close() {
      stopErasing();
      registering.stop();
      stopForgetting();
      await audit.idle();
      await stopLoggingHeads();
      for (const stop of sweepings) stop();
      await afterwards.idle();
      stopKeys();
      stopFollowing();
      await backstage.keys.fetches.flush();
      await Promise.all([stopMail(), stopLogOuts(), stopPings()]);
      await backstage.close();
    },
  };
}
