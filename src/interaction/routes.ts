import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import type { Provider } from 'oidc-provider';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config/schema.ts';
import type { ConsentStore } from '../consents/store.ts';
import type { Afterwards } from '../http/afterwards.ts';
import type { Factors } from '../factors/factors.ts';
import type { Linking } from '../federation/linking.ts';
import type { Providers } from '../federation/providers.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import { field, readForm } from '../http/body.ts';
import { createBrowserMark } from '../http/browser-mark.ts';
import type { ContinueTo } from '../http/continue.ts';
import type { Csrf } from '../http/csrf.ts';
import { createDeviceCookie, REMEMBERED_COOKIE } from '../http/device-cookie.ts';
import { languageOfBrowser, notePage } from '../http/language.ts';
import type { Language } from '../http/language.ts';
import { noteReader } from '../http/locale.ts';
import type { Locales } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { notFound } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { Limits } from '../limits/limits.ts';
import type { Endings } from '../logout/endings.ts';
import type { Restarts } from '../oidc/restarts.ts';
import type { SealedRecords } from '../protocol/sealed-records.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Verification } from '../verification/verification.ts';
import { createConsent } from './consent.ts';
import { createDeadEnds } from './dead-ends.ts';
import { deviceName } from '../http/device.ts';
import { nextStep } from './dispatch.ts';
import { createFactorPages } from './factor-pages.ts';
import { addFactorRoutes } from './factor-routes.ts';
import { createFactorSteps } from './factor-steps.ts';
import type { Proof } from './dispatch.ts';
import {
  cancel,
  clientForPages,
  consented,
  DeadEnd,
  loadInteraction,
  parameter,
  signedIn,
  unmet,
  wishLanguage,
} from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import { createKeepAccount } from './keep-account.ts';
import { createNewPassword, isDue } from './new-password.ts';
import { createMailLimits } from './mail-limits.ts';
import { addMailRoutes } from './mail-routes.ts';
import { createMailSteps } from './mail-steps.ts';
import { createMailedSignIn } from './mailed-sign-in.ts';
import { createTryPassword } from './password-proof.ts';
import { createMailedFactor } from './mailed-factor.ts';
import { postAsGet } from './post-as-get.ts';
import { createProgress, withProof } from './progress.ts';
import type { Progress } from './progress.ts';
import { createPasskeyOffer, offerCookie } from './passkey-offer.ts';
import { addPasskeyRoutes } from './passkey-routes.ts';
import { createPasskeySteps } from './passkey-steps.ts';
import { createForgotPassword } from './recovery.ts';
import { createSignIn } from './sign-in.ts';
import { createSignUp } from './sign-up.ts';
import { upstreamCallbacks } from './upstream-callback.ts';
import type { StepHandler, Stepping } from './stepping.ts';
import { addUpstreamRoutes } from './upstream-routes.ts';
import { createUpstream } from './upstream.ts';
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

/** The pages of an interaction, to be mounted at the issuer's path. */
export function interactionRoutes(needs: InteractionNeeds): Middleware {
  const { config, provider, locales, csrf, limits, visitor, verification, passkeys } = needs;
  const base = issuerPath(config.issuer);
  const signUpEnabled = () => config.sign_up.enabled;
  const { journeyMail, recovery } = verification;
  const mailLimits = createMailLimits({ limits, visitor });
  const mailSteps = createMailSteps({ ...needs, mailLimits, journeyMail, base });
  const mails = needs.mailer.available;
  const forgot = mails ? createForgotPassword({ ...needs, mailLimits, recovery, steps: mailSteps, base }) : undefined;
  const mailedSignIn =
    mails && config.sign_in.mailed ? createMailedSignIn({ ...needs, steps: mailSteps, base }) : undefined;
  const progress = createProgress(needs.records);
  const mailed =
    mails && config.factors.mailed_code
      ? createMailedFactor({ ...needs, codes: verification.codes, mailLimits, mailSteps, base })
      : undefined;
  const https = config.issuer.startsWith('https:');
  const rememberDevice = config.factors.remember_device;
  const rememberedCookie = createDeviceCookie({ https, ttl: rememberDevice, name: REMEMBERED_COOKIE });
  const factorSteps = createFactorSteps({
    ...needs,
    settings: config.factors,
    progress,
    rememberedCookie,
    mailed,
    canEnrolPasskey: passkeys !== undefined,
  });
  const factorPages = createFactorPages({ ...needs, base, rememberDevice });
  const browserMark = createBrowserMark(https);
  const tryPassword = createTryPassword({ accounts: needs.accounts, limits, visitor });
  const upstream = createUpstream({
    ...needs,
    tryPassword,
    base,
    progress,
    browserMark,
    mailSteps: mails ? mailSteps : undefined,
  });
  const signIn = createSignIn({
    ...needs,
    tryPassword,
    base,
    signUpEnabled,
    forgotEnabled: forgot !== undefined,
    mailedEnabled: mailedSignIn !== undefined,
    passkeysEnabled: passkeys !== undefined,
    offerCookie: config.passkeys.offer ? offerCookie(https) : null,
    upstream,
  });
  const verifyFirst = config.sign_up.verify_email === 'before_first_use';
  const signUp = createSignUp({
    ...needs,
    ...verification,
    steps: mailSteps,
    verifyFirst,
    base,
    upstream,
    passkeysEnabled: passkeys !== undefined,
    offerCookie: config.passkeys.offer ? offerCookie(https) : null,
  });
  const passkeySteps =
    passkeys &&
    createPasskeySteps({
      ...needs,
      passkeys,
      offer: createPasskeyOffer({ passkeys, enabled: config.passkeys.offer, https }),
      base,
      verifyFirst,
    });
  const keepAccount = createKeepAccount({ ...needs, base });
  const newPassword = createNewPassword({ ...needs, notices: verification.notices, progress, base });
  const consent = createConsent({ ...needs, base });
  const deadEnds = createDeadEnds({ ...needs, base });
  const router = new Router({ prefix: '/interaction/:uid' });

  /** Whom the proofs are of. */
  const holderOf = async ({ proofs: [first] }: Progress): Promise<Account | undefined> =>
    first && needs.accounts.find(first.account_id);

  const stepFrom = async (ctx: Context, under: InteractionUnderWay, so_far: Progress) => {
    const { details, client } = under;
    const { proofs, identity, joining } = so_far;
    const holder = await holderOf(so_far);
    if (holder) noteReader(ctx, holder);
    return nextStep({
      must_verify_email: verifyFirst && holder?.email_verified === false,
      prompt: details.prompt.name === 'consent' ? 'consent' : 'login',
      proofs,
      factor: (await factorSteps.stepFor(under, holder, so_far)).step,
      first_party: client['first_party'] === true,
      identity: identity !== undefined,
      joining: joining?.account_id,
      add_passkey:
        // The mark of a browser opens the account; it is not enough to add a key to it.
        proofs.some(({ method }) => method === 'remembered_device') ? undefined : await passkeySteps?.due(ctx, so_far),
      leaving: holder?.state === 'deleting',
      new_password: isDue(holder, so_far),
    });
  };

  async function dispatch(ctx: Context, under: InteractionUnderWay, so_far?: Progress): Promise<void> {
    const { details } = under;
    const now = await factorSteps.seeded(ctx, under, so_far ?? (await progress.load(details)));
    switch (await stepFrom(ctx, under, now)) {
      case 'sign-in':
        if (ctx.method === 'GET' && (await upstream.followHint(ctx, under, now))) return;
        return signIn.show(ctx, under, { notice: upstream.notice(await progress.load(details)) });
      case 'upstream':
        return dispatch(ctx, under, await upstream.settle(under, now));
      case 'link':
        return upstream.showLink(ctx, under, now);
      case 'join':
        return dispatch(ctx, under, await upstream.join(now));
      case 'verify-email':
        return mailSteps.verifyEmail(ctx, under, (await holderOf(now))!);
      case 'add-passkey':
        return passkeySteps!.showAdding(ctx, under, (await passkeySteps!.due(ctx, now))!);
      case 'keep-account':
        return keepAccount.show(ctx, under, (await holderOf(now))!);
      case 'new-password':
        return newPassword.show(ctx, under, (await holderOf(now))!);
      case 'second-factor':
        return askForFactor(ctx, under, now);
      case 'enrol':
        return askToEnrol(ctx, under, now);
      case 'unmet':
        return unmet(needs, ctx, under);
      case 'consent':
        return consent.show(ctx, under, locales.choose(ctx, parameter(details, 'ui_locales')).t);
      case 'grant':
        ctx.status = 303;
        return ctx.redirect(await consented(details, await consent.giveAll(under)));
      case 'signed-in':
        return finish(ctx, under, now);
    }
  }

  async function finish(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
    await noteSignIn(ctx, under, now.proofs[0]!.account_id);
    await signedIn(needs, ctx, under, now.proofs as [Proof, ...Proof[]]);
  }

  /** A page, unless this browser was told to remember. */
  async function askForFactor(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
    const known = await factorSteps.remembered(ctx, under, now);
    if (known) return proved(ctx, under, known);
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${under.details.uid}/second-factor`);
  }

  /** A factor is added by whoever has proved just now who they are: a session that was left open is not enough. */
  async function askToEnrol(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
    if (!factorSteps.isFresh(now)) return signIn.show(ctx, under);
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${under.details.uid}/enrol`);
  }

  /** What a finished sign-in changes about its browser: it is known from now on, and beginning did no harm. */
  async function noteSignIn(ctx: Context, under: InteractionUnderWay, accountId: string): Promise<void> {
    const account = await needs.accounts.find(accountId);
    // Chosen before anybody was signed in: now it is known whose language it is.
    const chosen = account && account.claims.locale === undefined ? languageOfBrowser(https)(ctx) : undefined;
    if (chosen !== undefined) await needs.accounts.setLocale(accountId, locales.of(chosen).lang);
    const known = account === undefined || (await visitor.signedIn(ctx, account));
    if (!known && mails) {
      const seen = { device: deviceName(ctx.get('User-Agent')) ?? '', app: clientForPages(under.client, base).name };
      const locale = mailSteps.localeOf(ctx, under);
      needs.afterwards.after(ctx, () => verification.notices.newDevice(account, locale, seen));
    }
    await limits.pardon('authorization', await visitor.keys(ctx));
  }

  /** Goes on with one proof more, which is only written down where the journey does not end with it. */
  async function proved(ctx: Context, under: InteractionUnderWay, proof: Proof): Promise<void> {
    const next = withProof(await progress.load(under.details), proof);
    if ((await stepFrom(ctx, under, next)) === 'signed-in') return finish(ctx, under, next);
    return dispatch(ctx, under, await progress.change(under.details, (current) => withProof(current, proof)));
  }

  /** For the foot of the page: where it can be opened again, and in whose language it is. */
  async function noteWhere(ctx: Context, { details }: InteractionUnderWay): Promise<void> {
    const path = `${base}/interaction/${details.uid}`;
    const form_page = router.match(ctx.path, 'GET').route ? ctx.originalUrl : path;
    notePage(ctx, { language_action: `${path}/language`, form_page });
    const reader = details.session && (await needs.accounts.find(details.session.accountId));
    if (reader) noteReader(ctx, reader);
  }

  const step =
    (handle: StepHandler): Middleware =>
    async (ctx) => {
      try {
        const under = await loadInteraction(provider, ctx);
        await noteWhere(ctx, under);
        await handle(ctx, under);
      } catch (error) {
        if (!(error instanceof DeadEnd)) throw error;
        await deadEnds.show(ctx, error.reason, error.uid);
      }
    };

  /** A form of ours: read, then verified before anything else looks at it. */
  const form = (handle: StepHandler): Middleware[] => [
    readForm(),
    step(async (ctx, under) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      await handle(ctx, under);
    }),
  ];

  const onlyWithSignUp: Middleware = async (_ctx, next) => {
    if (!signUpEnabled()) throw notFound('Signing up is turned off.');
    await next();
  };

  const finishConsent: StepHandler = async (ctx, under) => {
    if (field(ctx, 'decision') !== 'allow') return cancel(needs, ctx, under);
    if (under.details.prompt.name !== 'consent') return dispatch(ctx, under);
    return needs.continueTo(ctx, await consented(under.details, await consent.give(ctx, under)));
  };

  const proveWith =
    (prove: (ctx: Context, under: InteractionUnderWay) => Promise<Proof | undefined>): StepHandler =>
    async (ctx, under) => {
      const proof = await prove(ctx, under);
      if (proof) await proved(ctx, under, proof);
    };

  const stepping: Stepping = { step, form, dispatch, proved };

  router.get(
    '/',
    step((ctx, under) => dispatch(ctx, under)),
  );
  addUpstreamRoutes(router, { ...stepping, upstream, signIn, progress, base });
  router.get(
    '/sign-in',
    step((ctx, under) => signIn.show(ctx, under)),
  );
  router.post('/sign-in', ...form(proveWith((ctx, under) => signIn.prove(ctx, under))));
  router.get(
    '/sign-up',
    onlyWithSignUp,
    step((ctx, under) => signUp.show(ctx, under)),
  );
  router.post('/sign-up', onlyWithSignUp, ...form(proveWith((ctx, under) => signUp.create(ctx, under))));
  addMailRoutes(router, { ...stepping, journeyMail, steps: mailSteps, forgot, mailedSignIn });
  if (passkeySteps) {
    const steps = { steps: passkeySteps, signIn, signUp, onlyWithSignUp, progress };
    addPasskeyRoutes(router, { ...stepping, ...steps, stepFrom });
  }
  /** Everything was proved: only now does the answer count. */
  const answerKeeping: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    if ((await stepFrom(ctx, under, now)) !== 'keep-account') return dispatch(ctx, under, now);
    if (field(ctx, 'decision') !== 'keep') return cancel(needs, ctx, under);
    await needs.keep(now.proofs[0]!.account_id);
    return dispatch(ctx, under, now);
  };
  router.post('/keep', ...form(answerKeeping));
  const answerNewPassword: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    if ((await stepFrom(ctx, under, now)) !== 'new-password') return dispatch(ctx, under, now);
    const next = await newPassword.answer(ctx, under, (await holderOf(now))!, now);
    if (next) await dispatch(ctx, under, next);
  };
  router.post('/new-password', ...form(answerNewPassword));
  const factorRoutes = {
    ...needs,
    steps: factorSteps,
    pages: factorPages,
    progress,
    mailed,
    passkeySteps,
    ...stepping,
  };
  addFactorRoutes(router, factorRoutes);
  /** What the person chooses here counts for more than what the app wished. */
  const chooseLanguage: StepHandler = async (ctx, { details }) => {
    const lang = needs.language.choose(ctx);
    await wishLanguage(details, lang);
    if (details.session) await needs.accounts.setLocale(details.session.accountId, lang);
    needs.language.goBack(ctx, `${base}/interaction/${details.uid}`);
  };
  router.post('/language', ...form(chooseLanguage));
  router.post('/consent', ...form(finishConsent));
  router.post('/switch', ...form(async (ctx, under) => signIn.show(ctx, under)));
  router.post('/cancel', ...form((ctx, under) => cancel(needs, ctx, under)));
  router.get('/restart', (ctx) => deadEnds.restart(ctx, String(ctx.params['uid'])));
  const interaction = router.routes() as unknown as Middleware;
  const callbacks = upstreamCallbacks({
    ...needs,
    base,
    progress,
    browserMark,
    deadEnd: (ctx, reason, uid) => deadEnds.show(ctx, reason, uid),
  });
  return compose([interaction, callbacks, postAsGet(base)]);
}
