/** Signing in by a mailed link or code, where that is switched on. */
import type { Context } from 'koa';
import type { Accounts } from '../accounts/accounts.ts';
import { isEmailAddress } from '../accounts/email.ts';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailSteps } from './mail-steps.ts';
import { orWait } from './wait.ts';

interface Needs {
  accounts: Pick<Accounts, 'findByEmail'>;
  steps: Pick<MailSteps, 'ask'>;
  render: Render;
  base: string;
}

export function createMailedSignIn({ accounts, steps, render, base }: Needs) {
  async function page(
    ctx: Context,
    { details, client }: InteractionUnderWay,
    email?: string,
    error?: string,
    wait = 0,
  ) {
    const path = `${base}/interaction/${details.uid}`;
    const model = {
      client: clientForPages(client, base),
      action: `${path}/mailed-sign-in`,
      sign_in_url: `${path}/sign-in`,
      email: email ?? parameter(details, 'login_hint') ?? '',
      error: error ?? null,
      wait,
    };
    const ui_locales = parameter(details, 'ui_locales');
    const status = wait > 0 ? 429 : error ? 400 : 200;
    await render(ctx, 'interaction/mailed-sign-in', model, { title: ['mailed_sign_in.title'], status, ui_locales });
  }

  return {
    show: (ctx: Context, under: InteractionUnderWay) => page(ctx, under),

    async send(ctx: Context, under: InteractionUnderWay): Promise<void> {
      const email = field(ctx, 'email').trim();
      if (!isEmailAddress(email)) return page(ctx, under, email, 'mailed_sign_in.error.email');
      const account = await accounts.findByEmail(email);
      return orWait(
        ctx,
        () => steps.ask(ctx, under, { purpose: 'sign_in', email, account_id: account?.id ?? null }),
        (wait) => page(ctx, under, email, 'limited.requests', wait),
      );
    },
  };
}

export type MailedSignIn = ReturnType<typeof createMailedSignIn>;
