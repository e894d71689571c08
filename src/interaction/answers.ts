/** What a person answers on the pages that prove nothing: consent, keeping the account, another password, the language. */
import { field } from '../http/body.ts';
import type { GoingOn } from './going-on.ts';
import { cancel, consented, wishLanguage } from './journey.ts';
import type { InteractionNeeds } from './needs.ts';
import type { StepHandler } from './stepping.ts';
import type { Steps } from './steps.ts';

type Needs = InteractionNeeds &
  Pick<Steps, 'base' | 'progress' | 'consent' | 'newPassword'> &
  Pick<GoingOn, 'holderOf' | 'stepFrom' | 'dispatch'>;

export function createAnswers(needs: Needs) {
  const { base, progress, newPassword, holderOf, stepFrom, dispatch } = needs;

  const consent: StepHandler = async (ctx, under) => {
    if (field(ctx, 'decision') !== 'allow') return cancel(needs, ctx, under);
    if (under.details.prompt.name !== 'consent') return dispatch(ctx, under);
    return needs.continueTo(ctx, await consented(under.details, await needs.consent.give(ctx, under)));
  };

  /** Everything was proved: only now does the answer count. */
  const keeping: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    if ((await stepFrom(ctx, under, now)) !== 'keep-account') return dispatch(ctx, under, now);
    if (field(ctx, 'decision') !== 'keep') return cancel(needs, ctx, under);
    await needs.keep(now.proofs[0]!.account_id);
    return dispatch(ctx, under, now);
  };

  const anotherPassword: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    if ((await stepFrom(ctx, under, now)) !== 'new-password') return dispatch(ctx, under, now);
    const next = await newPassword.answer(ctx, under, (await holderOf(now))!, now);
    if (next) await dispatch(ctx, under, next);
  };

  /** What the person chooses here counts for more than what the app wished. */
  const language: StepHandler = async (ctx, { details }) => {
    const lang = needs.language.choose(ctx);
    await wishLanguage(details, lang);
    if (details.session) await needs.accounts.setLocale(details.session.accountId, lang);
    needs.language.goBack(ctx, `${base}/interaction/${details.uid}`);
  };

  return { consent, keeping, anotherPassword, language };
}
