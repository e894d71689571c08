import type { Context } from 'koa';
import type { Accounts } from '../accounts/accounts.ts';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { Proof } from './dispatch.ts';
import { passkeyPaths } from './passkey-steps.ts';
import type { PasskeyFailure } from './passkey-steps.ts';
import type { TryPassword } from './password-proof.ts';
import type { UpstreamNotice, UpstreamSteps } from './upstream.ts';

interface Needs {
  accounts: Accounts;
  tryPassword: TryPassword;
  render: Render;
  base: string;
  signUpEnabled: () => boolean;
  forgotEnabled: boolean;
  mailedEnabled: boolean;
  passkeysEnabled: boolean;
  offerCookie: string | null;
  upstream: Pick<UpstreamSteps, 'offered'>;
}

interface Shown {
  email?: string;
  error?: string;
  status?: number;
  /** Minutes to wait, where the error is about that. */
  wait?: number;
  /** What became of an attempt to sign in with an upstream. */
  notice?: UpstreamNotice | undefined;
}

export function createSignIn(needs: Needs) {
  const { accounts, tryPassword, render, base, upstream } = needs;
  const { signUpEnabled, forgotEnabled, mailedEnabled, passkeysEnabled, offerCookie } = needs;

  /** The e-mail to begin with: who is signed in and must prove it again, or the app's `login_hint`. */
  async function suggestedEmail({ details }: InteractionUnderWay, switching: boolean): Promise<string> {
    if (switching) return '';
    const known = details.session && (await accounts.find(details.session.accountId));
    return known?.email ?? parameter(details, 'login_hint') ?? '';
  }

  async function show(
    ctx: Context,
    under: InteractionUnderWay,
    { email, error, notice, wait = 0, status = notice?.status ?? 200 }: Shown = {},
  ): Promise<void> {
    const { details, client } = under;
    // Who was asked for consent or for an account, and comes here, may want to be somebody else.
    const switching = details.prompt.name !== 'login';
    const path = `${base}/interaction/${details.uid}`;
    const page = {
      client: clientForPages(client, base),
      action: `${path}/sign-in`,
      email: email ?? (await suggestedEmail(under, switching)),
      error: error ?? null,
      upstream: upstream.offered(under),
      upstream_notice: notice ?? null,
      wait,
      passkey: passkeysEnabled ? { ...passkeyPaths(path), offer_cookie: offerCookie } : null,
      sign_up_url: signUpEnabled() ? `${path}/sign-up` : null,
      forgot_url: forgotEnabled ? `${path}/forgot-password` : null,
      mailed_url: mailedEnabled ? `${path}/mailed-sign-in` : null,
      cancel_action: `${path}/cancel`,
      reauthenticate: details.session !== undefined && !switching,
    };
    const ui_locales = parameter(details, 'ui_locales');
    await render(ctx, 'interaction/sign-in', page, {
      title: ['sign_in.title', { client: page.client.name }],
      status,
      ui_locales,
    });
  }

  /** @returns the proof, or undefined after showing the page again. */
  async function prove(ctx: Context, under: InteractionUnderWay): Promise<Proof | undefined> {
    const email = field(ctx, 'email').trim();
    const password = field(ctx, 'password');
    const tried = await tryPassword(ctx, email, password);
    if ('proof' in tried) return tried.proof;
    await show(ctx, under, { email, ...tried });
    return undefined;
  }

  const showPasskeyProblem = (ctx: Context, under: InteractionUnderWay, failure: PasskeyFailure) =>
    show(ctx, under, failure);

  return { show, prove, showPasskeyProblem };
}

export type SignIn = ReturnType<typeof createSignIn>;
