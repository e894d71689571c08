/** The steps of an interaction, each made of the little it needs. Which of them there are is for the configuration to say. */
import { createBrowserMark } from '../http/browser-mark.ts';
import { createDeviceCookie, REMEMBERED_COOKIE } from '../http/device-cookie.ts';
import { issuerPath } from '../kernel/urls.ts';
import { createConsent } from './consent.ts';
import { createDeadEnds } from './dead-ends.ts';
import { createFactorPages } from './factor-pages.ts';
import { createFactorSteps } from './factor-steps.ts';
import { createKeepAccount } from './keep-account.ts';
import { createMailLimits } from './mail-limits.ts';
import { createMailSteps } from './mail-steps.ts';
import { createMailedFactor } from './mailed-factor.ts';
import { createMailedSignIn } from './mailed-sign-in.ts';
import type { InteractionNeeds } from './needs.ts';
import { createNewPassword } from './new-password.ts';
import { createPasskeyOffer, offerCookie } from './passkey-offer.ts';
import { createPasskeySteps } from './passkey-steps.ts';
import { createTryPassword } from './password-proof.ts';
import { createProgress } from './progress.ts';
import { createForgotPassword } from './recovery.ts';
import { createSignIn } from './sign-in.ts';
import { createSignUp } from './sign-up.ts';
import { createUpstream } from './upstream.ts';

export function createSteps(needs: InteractionNeeds) {
  const { config, passkeys, limits, visitor, verification } = needs;
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

  return {
    base,
    verifyFirst,
    progress,
    journeyMail,
    mailSteps,
    forgot,
    mailedSignIn,
    mailed,
    factorSteps,
    factorPages,
    browserMark,
    upstream,
    signUpEnabled,
    signIn,
    signUp,
    passkeySteps,
    keepAccount,
    newPassword,
    consent,
    deadEnds,
  };
}

export type Steps = ReturnType<typeof createSteps>;
