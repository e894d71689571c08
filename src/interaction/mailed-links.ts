/**
 * `/mailed/…`: where mailed links lead. A GET shows a page with a button and consumes nothing, as mail scanners open links too; the
 * button's POST does. The token is in the query, and no page of these tells it to another page.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Accounts } from '../accounts/accounts.ts';
import { PASSWORD_MAX } from '../accounts/password-policy.ts';
import { field, readForm } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Locales } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import type { Limits } from '../limits/limits.ts';
import type { Confirmation } from '../verification/confirm.ts';
import { linkPath } from '../verification/links.ts';
import type { JourneyMark, LinkPurpose } from '../verification/links.ts';
import type { RequestPurpose } from '../verification/request.ts';
import type { Verification } from '../verification/verification.ts';
import { createConfirmElsewhere } from './confirm-elsewhere.ts';
import { countMisses } from './misses.ts';
import { createTryPassword } from './password-proof.ts';
import type { Visitor } from './visitor.ts';

interface Needs {
  verification: Verification;
  accounts: Pick<Accounts, 'passwordMin' | 'passwordProblem' | 'authenticate'>;
  csrf: Csrf;
  locales: Locales;
  render: Render;
  limits: Limits;
  visitor: Visitor;
  /** The issuer's path. */
  base: string;
}

type Handler = (ctx: Context, token: string) => Promise<void>;

/** The path and query of the page stay here; its origin may be told, or the form's `Origin` would be `null`. */
const noReferrer: Middleware = async (ctx, next) => {
  ctx.set('Referrer-Policy', 'strict-origin');
  await next();
};

const CONFIRMED: RequestPurpose[] = ['sign_up', 'verify_email', 'sign_in', 'link_account'];

export function mailedLinkRoutes(needs: Needs): Middleware {
  const { verification, accounts, limits, csrf, locales, render, base } = needs;
  const { confirmations, recovery, emailChanges } = verification;
  const elsewhere = createConfirmElsewhere({ ...needs, confirmations, tryPassword: createTryPassword(needs) });
  const router = new Router();
  router.use(countMisses(needs, 'link'));
  const localeOf = (ctx: Context) => locales.choose(ctx).lang;

  /** The page with the button. `about` are the variables of its texts. */
  const ask = (ctx: Context, purpose: LinkPurpose, token: string, about: Record<string, string>) =>
    render(
      ctx,
      'interaction/mailed-link',
      { key: purpose, action: base + linkPath(purpose), token, about },
      { title: [`mailed.${purpose}.title`] },
    );

  /** How it ended, with a door where there is one. */
  const tell = (ctx: Context, key: string, { status = 200, about = {}, go_on = null as string | null } = {}) =>
    render(
      ctx,
      'interaction/mailed-done',
      { key, about, go_on, ok: status === 200 },
      { title: [`mailed.${key}.title`], status },
    );
  const dead = (ctx: Context) => tell(ctx, 'dead', { status: 400 });

  /** Back into the sign-in, in the browser it runs in; elsewhere the person is told to go back there. */
  function goOn(ctx: Context, journey: JourneyMark | null): boolean {
    if (journey?.browser !== csrf.token(ctx)) return false;
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${journey.uid}/check-mail/continue`);
    return true;
  }

  function link(purpose: LinkPurpose, show: Handler, press: Handler): void {
    router.get(linkPath(purpose), noReferrer, (ctx) => show(ctx, single(ctx.query['token'])));
    router.post(linkPath(purpose), noReferrer, readForm(), async (ctx) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      await press(ctx, field(ctx, 'token'));
    });
  }

  for (const purpose of CONFIRMED) {
    link(
      purpose,
      async (ctx, token) => {
        const found = await confirmations.look(purpose, token, csrf.token(ctx));
        if (found.outcome === 'elsewhere') return elsewhere.show(ctx, token, found);
        if (found.outcome !== 'good') return tell(ctx, found.outcome, { status: 400 });
        return ask(ctx, purpose, token, { email: found.link.email });
      },
      async (ctx, token) => {
        let found: Confirmation | undefined = await confirmations.confirm(purpose, token, csrf.token(ctx));
        if (found.outcome === 'elsewhere') found = await elsewhere.press(ctx, token, found);
        if (!found) return;
        if (found.outcome !== 'good') return tell(ctx, found.outcome, { status: 400 });
        if (goOn(ctx, found.journey)) return;
        await tell(ctx, found.journey ? 'go_back' : 'verified', { about: { email: found.link.email } });
      },
    );
  }

  async function passwordPage(ctx: Context, token: string, email: string, error?: string): Promise<void> {
    const model = {
      client: null,
      heading: 'mailed.reset_password.heading',
      text: 'mailed.reset_password.text',
      action: base + linkPath('reset_password'),
      token,
      email,
      error: error ? `sign_up.error.password_${error}` : null,
      password_min: accounts.passwordMin(),
      password_max: PASSWORD_MAX,
    };
    await render(ctx, 'interaction/set-password', model, {
      title: ['mailed.reset_password.title'],
      status: error ? 400 : 200,
    });
  }

  link(
    'reset_password',
    async (ctx, token) => {
      const usable = await recovery.find(token);
      return usable ? passwordPage(ctx, token, usable.account.email) : dead(ctx);
    },
    async (ctx, token) => {
      const password = field(ctx, 'password');
      const usable = await recovery.find(token);
      if (!usable) return dead(ctx);
      const problem = await accounts.passwordProblem(password, usable.account.email);
      if (problem) return passwordPage(ctx, token, usable.account.email, problem);
      const done = await recovery.reset(token, password, { locale: localeOf(ctx), browser: csrf.token(ctx) });
      if (!done) return dead(ctx);
      // Guesses at the old password are nobody's trouble any more.
      await limits.unlock(done.account.email);
      if (!goOn(ctx, done.link.journey)) await tell(ctx, 'password_set');
    },
  );

  link(
    'change_email',
    async (ctx, token) => {
      const usable = await emailChanges.find(token);
      if (!usable) return dead(ctx);
      await ask(ctx, 'change_email', token, { email: usable.link.email });
    },
    async (ctx, token) => {
      const changed = await emailChanges.confirm(token, localeOf(ctx));
      if (changed === 'taken') await tell(ctx, 'taken', { status: 400 });
      else if (changed) await tell(ctx, 'email_changed', { about: { email: changed.email } });
      else await dead(ctx);
    },
  );

  link(
    'undo_email_change',
    async (ctx, token) => {
      const found = await emailChanges.findUndo(token);
      if (!found) return dead(ctx);
      await ask(ctx, 'undo_email_change', token, { email: found.link.email });
    },
    async (ctx, token) => {
      const restored = await emailChanges.undo(token, localeOf(ctx));
      if (restored) await tell(ctx, 'email_restored', { about: { email: restored.email } });
      else await dead(ctx);
    },
  );

  return routesOf(router);
}

const single = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');
