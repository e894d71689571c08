/** The composition root of the server: wires the rooms by their narrow needs, and gives back what main uses. */
import type { TokenPreview } from './administration/token-preview.ts';
import { createApp } from './app.ts';
import type { RequestHandler } from './app.ts';
import { assembleAdmin } from './assemble-admin.ts';
import { assembleDocuments, startForgettingDocuments } from './assemble-documents.ts';
import { assembleCiba } from './assemble-ciba.ts';
import { assembleConsole } from './assemble-console.ts';
import { assembleGuards, assembleVisitor, warnWithoutLimits } from './assemble-limits.ts';
import { noteConsents, noteSignOut } from './assemble-audit.ts';
import { assembleInteraction } from './assemble-interaction.ts';
import { assembleLanguage } from './assemble-language.ts';
import { assembleProtocol, grantsOn, clientSecrets, warnOfLoosenedRules } from './assemble-protocol.ts';
import { nameOwnPages } from './assemble-own-pages.ts';
import { assemblePortal } from './assemble-portal.ts';
import { assemblePreview } from './assemble-preview.ts';
import { assembleRefusals } from './assemble-refusals.ts';
import { assembleRegistration } from './assemble-registration.ts';
import { assembleReuse } from './assemble-reuse.ts';
import type { Config } from './config/schema.ts';
import { demoPerson, DEMO } from './demo.ts';
import { createAfterwards } from './http/afterwards.ts';
import { assets } from './http/assets.ts';
import { createContinueTo } from './http/continue.ts';
import { createCsrf } from './http/csrf.ts';
import { createRender } from './http/render.ts';
import { createDeadEnds } from './interaction/dead-ends.ts';
import { createDevicePages } from './interaction/device-pages.ts';
import { createProviderPages } from './interaction/provider-pages.ts';
import type { Logger } from './kernel/logger.ts';
import { issuerPath } from './kernel/urls.ts';
import type { LiveKeys } from './keys/live-keys.ts';
import { landingRoutes } from './landing/routes.ts';
import { noteAppUses } from './oidc/app-uses.ts';
import { createClientDirectory } from './oidc/client-directory.ts';
import { handleFailures } from './oidc/failures.ts';
import { signLogoutToken } from './oidc/library.ts';
import { createProvider, findAccessToken } from './oidc/provider.ts';
import type { ProviderNeeds } from './oidc/provider-needs.ts';
import { noteRefusals } from './oidc/refusals.ts';
import { createRestarts } from './oidc/restarts.ts';
import { createSessions } from './oidc/sessions.ts';
import { noteTokens } from './oidc/token-events.ts';
import type { TokenEvent } from './oidc/token-events.ts';
import { createTrials } from './oidc/trials.ts';
import { healthRoutes } from './operations/health.ts';
import type { VisitRoute } from './visits/visit.ts';
import { version } from './version.ts';
import { startWork } from './assemble-work.ts';
import { assembleBackstage } from './assemble-backstage.ts';
import type { Backstage } from './assemble-backstage.ts';

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
    factors,
    mail,
    verification,
    providers,
    locales,
    themes,
    draw,
    callers,
    audit,
    logOuts,
  } = backstage;
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
  const trials = createTrials({ issuer: config.issuer, records });
  const directory = createClientDirectory({
    clients,
    trials: config.admin.console ? trials : undefined,
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
  const preview = assemblePreview({ ...backstage, documents }, engineNeeds);
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
    trials,
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

  nameOwnPages({ ...backstage, config, log });

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
      ...assembleInteraction({
        ...backstage,
        config,
        provider,
        directory,
        documents,
        visitor,
        restarts,
        note: refusals.ofDeadEnd,
        render,
        language: language.language,
        csrf,
        continueTo,
        afterwards,
        log,
      }),
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
  const stopWork = await startWork({
    backstage,
    liveKeys,
    ciba,
    afterwards,
    log,
    async signLogOut(claims) {
      await liveKeys.refresh(); // no request comes before it, which would look
      return signLogoutToken(provider, claims);
    },
  });

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
      registering.stop();
      stopForgetting();
      await stopWork();
      await backstage.close();
    },
  };
}
