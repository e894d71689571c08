/**
 * A link that confirms an address, opened in another browser than the one in which the account was made. Who reads the mail may be
 * somebody else than who made the account, and chose its password: they prove to be the same, or take it over empty.
 */
import type { Context } from 'koa';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import type { Confirmation, Confirmations } from '../verification/confirm.ts';
import { linkPath } from '../verification/links.ts';
import type { PasswordFailure, TryPassword } from './password-proof.ts';

type Elsewhere = Extract<Confirmation, { outcome: 'elsewhere' }>;

interface Needs {
  confirmations: Pick<Confirmations, 'confirmElsewhere' | 'take'>;
  tryPassword: TryPassword;
  render: Render;
  base: string;
}

export function createConfirmElsewhere({ confirmations, tryPassword, render, base }: Needs) {
  const show = (ctx: Context, token: string, { link, account, may_take }: Elsewhere, failure?: PasswordFailure) =>
    render(
      ctx,
      'interaction/confirm-elsewhere',
      {
        action: base + linkPath('verify_email'),
        token,
        email: link.email,
        has_password: account.password_hash !== null,
        may_take,
        error: failure?.error ?? null,
        wait: failure?.wait ?? 0,
      },
      { title: ['mailed.elsewhere.title'], status: failure?.status ?? 200 },
    );

  return {
    show,

    /** @returns how it ended; undefined when the answer is a page already. */
    async press(ctx: Context, token: string, found: Elsewhere): Promise<Confirmation | undefined> {
      if (field(ctx, 'decision') === 'take') {
        const url = found.may_take ? await confirmations.take(token) : undefined;
        if (url === undefined) return { outcome: 'dead' };
        ctx.status = 303;
        ctx.redirect(url);
        return undefined;
      }
      const { account } = found;
      const tried = await tryPassword(ctx, account.email, field(ctx, 'password'));
      if ('error' in tried) await show(ctx, token, found, tried);
      return 'error' in tried ? undefined : confirmations.confirmElsewhere(token);
    },
  };
}
