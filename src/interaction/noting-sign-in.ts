/** What a finished sign-in changes about its browser: it is known from now on, and beginning did no harm. */
import type { Context } from 'koa';
import { deviceName } from '../http/device.ts';
import { languageOfBrowser } from '../http/language.ts';
import { issuerPath } from '../kernel/urls.ts';
import { clientForPages } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { InteractionNeeds } from './needs.ts';
import type { Steps } from './steps.ts';

type Needs = Pick<
  InteractionNeeds,
  'config' | 'accounts' | 'visitor' | 'limits' | 'locales' | 'mailer' | 'verification' | 'afterwards'
> & { mailSteps: Pick<Steps['mailSteps'], 'localeOf'> };

export async function noteSignIn(
  needs: Needs,
  ctx: Context,
  under: InteractionUnderWay,
  accountId: string,
): Promise<void> {
  const { config, accounts, visitor, limits, locales, verification } = needs;
  const account = await accounts.find(accountId);
  // Chosen before anybody was signed in: now it is known whose language it is.
  const chosen =
    account && account.claims.locale === undefined
      ? languageOfBrowser(config.issuer.startsWith('https:'))(ctx)
      : undefined;
  if (chosen !== undefined) await accounts.setLocale(accountId, locales.of(chosen).lang);
  const [known] = await Promise.all([
    account === undefined || visitor.signedIn(ctx, account),
    visitor.keys(ctx).then((keys) => limits.pardon('authorization', keys)),
  ]);
  if (account && !known && needs.mailer.available) {
    const seen = {
      device: deviceName(ctx.get('User-Agent')) ?? '',
      app: clientForPages(under.client, issuerPath(config.issuer)).name,
    };
    const locale = needs.mailSteps.localeOf(ctx, under);
    needs.afterwards.after(ctx, () => verification.notices.newDevice(account, locale, seen));
  }
}
