/**
 * An admin has demanded another password: whoever comes by the old one chooses it as the last thing before they are signed in. Other ways
 * in do not use the password, and are not held up.
 */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { PASSWORD_MAX } from '../accounts/password-policy.ts';
import { field } from '../http/body.ts';
import type { Locales } from '../http/locale.ts';
import type { Render } from '../http/render.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Notices } from '../verification/notices.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { Progress, ProgressRecords } from './progress.ts';

interface Needs {
  accounts: Pick<Accounts, 'passwordMin' | 'passwordProblem' | 'hasPassword'>;
  /** @throws conflict where it is not demanded any more. */
  choose(accountId: string, password: string, options: { keepSession: string | undefined }): Promise<Account>;
  notices: Pick<Notices, 'passwordChanged'>;
  locales: Pick<Locales, 'choose'>;
  progress: ProgressRecords;
  render: Render;
  base: string;
}

export const isDue = (holder: Account | undefined, { proofs }: Progress): boolean =>
  holder?.must_change_password === true &&
  holder.password_hash !== null &&
  proofs.some(({ method }) => method === 'password');

export function createNewPassword({ accounts, choose, notices, locales, progress, render, base }: Needs) {
  async function show(ctx: Context, under: InteractionUnderWay, { email }: Account, error?: string): Promise<void> {
    const { details, client } = under;
    const shown = clientForPages(client, base);
    const page = {
      client: shown,
      heading: 'new_password.heading',
      text: 'new_password.text',
      action: `${base}/interaction/${details.uid}/new-password`,
      token: null,
      email,
      error: error ?? null,
      password_min: accounts.passwordMin(),
      password_max: PASSWORD_MAX,
    };
    await render(ctx, 'interaction/set-password', page, {
      title: ['new_password.heading'],
      status: error ? 400 : 200,
      ui_locales: parameter(details, 'ui_locales'),
      theme: shown.theme,
    });
  }

  async function problemOf(password: string, { id, email }: Account): Promise<string | undefined> {
    const problem = await accounts.passwordProblem(password, email);
    if (problem) return `sign_up.error.password_${problem}`;
    return (await accounts.hasPassword(id, password)) ? 'new_password.same' : undefined;
  }

  return {
    show,
    /** @returns what was proved so far, or undefined after showing the page again. */
    async answer(
      ctx: Context,
      under: InteractionUnderWay,
      account: Account,
      now: Progress,
    ): Promise<Progress | undefined> {
      const password = field(ctx, 'password');
      const problem = await problemOf(password, account);
      if (problem) {
        await show(ctx, under, account, problem);
        return undefined;
      }
      const { details } = under;
      try {
        const changed = await choose(account.id, password, { keepSession: details.session?.uid });
        await notices.passwordChanged(changed, locales.choose(ctx, parameter(details, 'ui_locales')).lang);
      } catch (error) {
        // Somebody has changed it meanwhile, and what was proved by the one before ends with that: here too, where it may not have yet.
        if (isGatehouseError(error, 'conflict')) return progress.change(details, () => ({ proofs: [] }));
        throw error;
      }
      // All that was under way for the account has ended, but for this: it is what chose the password.
      return progress.change(details, () => now);
    },
  };
}
