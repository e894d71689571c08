/** Steps that wait for a mail: its code is typed in here, or its link opened, here or in another browser. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import { isEmailAddress } from '../accounts/email.ts';
import type { Afterwards } from '../http/afterwards.ts';
import { field } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Locales } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { MAILS_PER_JOURNEY } from '../verification/journey-mail.ts';
import type { JourneyMail, NewMailRequest } from '../verification/journey-mail.ts';
import type { JourneyMark } from '../verification/links.ts';
import type { MailRequest } from '../verification/request.ts';
import type { Proof } from './dispatch.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailLimits } from './mail-limits.ts';
import { orWait } from './wait.ts';

interface Needs {
  journeyMail: JourneyMail;
  mailLimits: MailLimits;
  afterwards: Afterwards;
  csrf: Csrf;
  locales: Locales;
  render: Render;
  base: string;
}

interface Shown {
  error?: string;
  error_field?: 'code' | 'email';
  /** Minutes to wait, where the page is about that. */
  wait?: { key: 'limited.tries' | 'limited.requests'; minutes: number };
  notice?: string;
  status?: number;
}

export type Asked = Omit<NewMailRequest, 'locale' | 'app'>;

export function createMailSteps({ journeyMail, mailLimits, afterwards, csrf, locales, render, base }: Needs) {
  /** The CSRF token names the browser: it is the keyed hash of a random cookie. */
  const markOf = (ctx: Context, { details }: InteractionUnderWay): JourneyMark => ({
    uid: details.uid,
    exp: details.exp,
    browser: csrf.token(ctx),
  });
  const pathOf = ({ details }: InteractionUnderWay) => `${base}/interaction/${details.uid}/check-mail`;
  const localeOf = (ctx: Context, { details }: InteractionUnderWay) =>
    locales.choose(ctx, parameter(details, 'ui_locales')).lang;

  function seeCheckMail(ctx: Context, under: InteractionUnderWay): void {
    ctx.status = 303;
    ctx.redirect(pathOf(under));
  }

  async function page(ctx: Context, under: InteractionUnderWay, request: MailRequest, shown: Shown): Promise<void> {
    const path = pathOf(under);
    const { purpose, email, mails } = request;
    const model = {
      client: clientForPages(under.client, base),
      purpose,
      email,
      action: path,
      continue_url: `${path}/continue`,
      again_action: mails < MAILS_PER_JOURNEY ? `${path}/again` : null,
      address_action:
        mails < MAILS_PER_JOURNEY && ['sign_up', 'verify_email'].includes(purpose) ? `${path}/address` : null,
      back_url: `${base}/interaction/${under.details.uid}/sign-in`,
      error: shown.wait?.key ?? (shown.error ? `check_mail.error.${shown.error}` : null),
      wait: shown.wait?.minutes ?? 0,
      error_field: shown.error_field ?? 'code',
      notice: shown.notice ? `check_mail.notice.${shown.notice}` : null,
    };
    await render(ctx, 'interaction/check-mail', model, {
      title: ['check_mail.title'],
      status: shown.wait ? 429 : (shown.status ?? 200),
      ui_locales: parameter(under.details, 'ui_locales'),
    });
  }

  /** Notes what is to be proved, answers with the page that waits for it, and mails after that. */
  async function ask(ctx: Context, under: InteractionUnderWay, asked: Asked): Promise<void> {
    await mailLimits.mail(ctx, asked.email);
    const mark = markOf(ctx, under);
    const app = clientForPages(under.client, base).name;
    await journeyMail.begin(mark, { ...asked, locale: localeOf(ctx, under), app });
    afterwards.after(ctx, () => journeyMail.deliver(mark));
    seeCheckMail(ctx, under);
  }

  /** The address of an account that is not to be used before it is proved. Asked again it mails nothing new. */
  async function verifyEmail(ctx: Context, under: InteractionUnderWay, account: Account): Promise<void> {
    const waiting = await journeyMail.find(under.details.uid);
    const asked = waiting?.purpose === 'verify_email' && waiting.account_id === account.id;
    if (asked) return seeCheckMail(ctx, under);
    return ask(ctx, under, { purpose: 'verify_email', email: account.email, account_id: account.id });
  }

  async function again(ctx: Context, under: InteractionUnderWay, request: MailRequest, email?: string): Promise<void> {
    const send = async () => {
      await mailLimits.mail(ctx, email ?? request.email);
      const mark = markOf(ctx, under);
      const allowed = await journeyMail.again(mark, email);
      if (!allowed) return page(ctx, under, request, { error: 'too_many', status: 429 });
      afterwards.after(ctx, () => journeyMail.deliver(mark));
      return seeCheckMail(ctx, under);
    };
    const error_field = email === undefined ? 'code' : 'email';
    return orWait(ctx, send, (wait) =>
      page(ctx, under, request, { wait: { key: 'limited.requests', minutes: wait }, error_field }),
    );
  }

  async function readdress(ctx: Context, under: InteractionUnderWay, request: MailRequest): Promise<void> {
    const email = field(ctx, 'email').trim();
    if (!['sign_up', 'verify_email'].includes(request.purpose)) return seeCheckMail(ctx, under);
    if (!isEmailAddress(email)) return page(ctx, under, request, { error: 'email', error_field: 'email', status: 400 });
    return again(ctx, under, request, email);
  }

  /** @returns whether the code was right; the page was shown again where it was not. */
  async function tryCode(ctx: Context, under: InteractionUnderWay, request: MailRequest): Promise<boolean> {
    const code = field(ctx, 'code');
    if (code.trim() === '') {
      await page(ctx, under, request, { error: 'missing', status: 400 });
      return false;
    }
    let right = false;
    const attempt = async () => {
      const answer = await mailLimits.code(
        ctx,
        request.email,
        () => journeyMail.tryCode(markOf(ctx, under), code),
        (outcome) => outcome === 'right',
      );
      right = answer === 'right';
      if (answer !== 'right') await page(ctx, under, request, { error: answer, status: 400 });
    };
    await orWait(ctx, attempt, (wait) => page(ctx, under, request, { wait: { key: 'limited.tries', minutes: wait } }));
    return right;
  }

  /** What a proved request is for the journey; null where the account's address is all that changed. */
  function proofOf({ purpose, proved, sign_up }: MailRequest): Proof | null {
    if (!proved || purpose === 'verify_email') return null;
    // Whoever signs up with a password has chosen it in this very journey; the mail proved the address.
    return { ...proved, method: sign_up?.password_hash ? 'password' : proved.method };
  }

  return { ask, verifyEmail, page, again, readdress, tryCode, proofOf, markOf, localeOf };
}

export type MailSteps = ReturnType<typeof createMailSteps>;
