/** "Forgot your password?": asks for an address, and answers the same whether it has an account or not. */
import type { Context } from 'koa';
import { isEmailAddress } from '../accounts/email.ts';
import type { Afterwards } from '../http/afterwards.ts';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import type { Recovery } from '../verification/recovery.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailLimits } from './mail-limits.ts';
import type { MailSteps } from './mail-steps.ts';
import { orWait } from './wait.ts';

interface Needs {
  recovery: Recovery;
  steps: Pick<MailSteps, 'markOf' | 'localeOf'>;
  mailLimits: MailLimits;
  afterwards: Afterwards;
  render: Render;
  base: string;
}

interface Shown {
  email?: string;
  error?: string;
  /** Minutes to wait, where the error is about that. */
  wait?: number;
  sent?: boolean;
  status?: number;
}

export function createForgotPassword({ recovery, steps, mailLimits, afterwards, render, base }: Needs) {
  async function page(ctx: Context, { details, client }: InteractionUnderWay, shown: Shown): Promise<void> {
    const path = `${base}/interaction/${details.uid}`;
    const { sent = false, email, error, wait = 0, status = 200 } = shown;
    const model = {
      client: clientForPages(client, base),
      action: `${path}/forgot-password`,
      sign_in_url: `${path}/sign-in`,
      email: email ?? parameter(details, 'login_hint') ?? '',
      error: error ?? null,
      wait,
      sent,
    };
    const ui_locales = parameter(details, 'ui_locales');
    await render(ctx, 'interaction/forgot-password', model, { title: ['forgot_password.title'], status, ui_locales });
  }

  return {
    show: (ctx: Context, under: InteractionUnderWay) => page(ctx, under, {}),

    async send(ctx: Context, under: InteractionUnderWay): Promise<void> {
      const email = field(ctx, 'email').trim();
      if (!isEmailAddress(email)) return page(ctx, under, { email, error: 'forgot_password.error.email', status: 400 });
      const send = async () => {
        await mailLimits.mail(ctx, email);
        const request = { email, locale: steps.localeOf(ctx, under), journey: steps.markOf(ctx, under) };
        afterwards.after(ctx, () => recovery.request(request));
        await page(ctx, under, { email, sent: true });
      };
      return orWait(ctx, send, (wait) => page(ctx, under, { email, error: 'limited.requests', wait, status: 429 }));
    },
  };
}

export type ForgotPassword = ReturnType<typeof createForgotPassword>;
