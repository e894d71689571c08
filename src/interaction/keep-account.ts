/** Whoever asked to delete their account and signs in again may keep it: the last step before they are signed in. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Render } from '../http/render.ts';
import { datesIn } from '../kernel/dates.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';

interface Needs {
  render: Render;
  base: string;
}

export function createKeepAccount({ render, base }: Needs) {
  return {
    show(ctx: Context, { details, client }: InteractionUnderWay, account: Account): Promise<void> {
      const shown = clientForPages(client, base);
      return render(
        ctx,
        'interaction/keep-account',
        (_t, { tag }) => ({
          client: shown,
          email: account.email,
          erase_on: datesIn(tag, account.claims.zoneinfo).day(account.erase_at!).text,
          action: `${base}/interaction/${details.uid}/keep`,
        }),
        { title: ['keep_account.title'], ui_locales: parameter(details, 'ui_locales'), theme: shown.theme },
      );
    },
  };
}
