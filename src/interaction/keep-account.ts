/** Whoever asked to delete their account and signs in again may keep it: the last step before they are signed in. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Render } from '../http/render.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { Progress } from './progress.ts';

interface Needs {
  accounts: Pick<Accounts, 'find'>;
  render: Render;
  base: string;
}

export function createKeepAccount({ accounts, render, base }: Needs) {
  return {
    /** Whom the proofs are of, where that account is about to be deleted. */
    async leaving({ proofs: [first] }: Pick<Progress, 'proofs'>): Promise<Account | undefined> {
      const account = first && (await accounts.find(first.account_id));
      return account?.state === 'deleting' ? account : undefined;
    },

    show(ctx: Context, { details, client }: InteractionUnderWay, account: Account): Promise<void> {
      const shown = clientForPages(client, base);
      return render(
        ctx,
        'interaction/keep-account',
        (_t, { lang }) => ({
          client: shown,
          email: account.email,
          erase_on: new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeZone: 'UTC' }).format(
            new Date(account.erase_at!),
          ),
          action: `${base}/interaction/${details.uid}/keep`,
        }),
        { title: ['keep_account.title'], ui_locales: parameter(details, 'ui_locales') },
      );
    },
  };
}
