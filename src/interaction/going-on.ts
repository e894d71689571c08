/** The way from what is proved to the page of the next step, or to the end of the interaction. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import { noteReader } from '../http/locale.ts';
import { nextStep } from './dispatch.ts';
import type { Proof, Step } from './dispatch.ts';
import { consented, parameter, signedIn, unmet } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { InteractionNeeds } from './needs.ts';
import { isDue } from './new-password.ts';
import { noteSignIn } from './noting-sign-in.ts';
import { withProof } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Steps } from './steps.ts';

export function createGoingOn(needs: InteractionNeeds, steps: Steps) {
  const { base, verifyFirst, progress, mailSteps, factorSteps, upstream, signIn, passkeySteps } = steps;
  const { keepAccount, newPassword, consent } = steps;

  /** Whom the proofs are of. */
  const holderOf = async ({ proofs: [first] }: Progress): Promise<Account | undefined> =>
    first && needs.accounts.find(first.account_id);

  const stepFrom = async (ctx: Context, under: InteractionUnderWay, so_far: Progress): Promise<Step> => {
    const { details, client } = under;
    const { proofs, identity, joining } = so_far;
    const holder = await holderOf(so_far);
    if (holder) noteReader(ctx, holder);
    return nextStep({
      must_verify_email: verifyFirst && holder?.email_verified === false,
      prompt: details.prompt.name === 'consent' ? 'consent' : 'login',
      proofs,
      factor: (await factorSteps.stepFor(under, holder, so_far)).step,
      first_party: client['first_party'] === true,
      identity: identity !== undefined,
      joining: joining?.account_id,
      add_passkey:
        // The mark of a browser opens the account; it is not enough to add a key to it.
        proofs.some(({ method }) => method === 'remembered_device') ? undefined : await passkeySteps?.due(ctx, so_far),
      leaving: holder?.state === 'deleting',
      new_password: isDue(holder, so_far),
    });
  };

  async function dispatch(ctx: Context, under: InteractionUnderWay, so_far?: Progress): Promise<void> {
    const { details } = under;
    const now = await factorSteps.seeded(ctx, under, so_far ?? (await progress.load(details)));
    switch (await stepFrom(ctx, under, now)) {
      case 'sign-in':
        if (ctx.method === 'GET' && (await upstream.followHint(ctx, under, now))) return;
        return signIn.show(ctx, under, { notice: upstream.notice(await progress.load(details)) });
      case 'upstream':
        return dispatch(ctx, under, await upstream.settle(under, now));
      case 'link':
        return upstream.showLink(ctx, under, now);
      case 'join':
        return dispatch(ctx, under, await upstream.join(now));
      case 'verify-email':
        return mailSteps.verifyEmail(ctx, under, (await holderOf(now))!);
      case 'add-passkey':
        return passkeySteps!.showAdding(ctx, under, (await passkeySteps!.due(ctx, now))!);
      case 'keep-account':
        return keepAccount.show(ctx, under, (await holderOf(now))!);
      case 'new-password':
        return newPassword.show(ctx, under, (await holderOf(now))!);
      case 'second-factor':
        return askForFactor(ctx, under, now);
      case 'enrol':
        return askToEnrol(ctx, under, now);
      case 'unmet':
        return unmet(needs, ctx, under);
      case 'consent':
        return consent.show(ctx, under, needs.locales.choose(ctx, parameter(details, 'ui_locales')).t);
      case 'grant':
        ctx.status = 303;
        return ctx.redirect(await consented(details, await consent.giveAll(under)));
      case 'signed-in':
        return finish(ctx, under, now);
    }
  }

  async function finish(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
    await noteSignIn({ ...needs, mailSteps }, ctx, under, now.proofs[0]!.account_id);
    await signedIn(needs, ctx, under, now.proofs as [Proof, ...Proof[]]);
  }

  /** A page, unless this browser was told to remember. */
  async function askForFactor(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
    const known = await factorSteps.remembered(ctx, under, now);
    if (known) return proved(ctx, under, known);
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${under.details.uid}/second-factor`);
  }

  /** A factor is added by whoever has proved just now who they are: a session that was left open is not enough. */
  async function askToEnrol(ctx: Context, under: InteractionUnderWay, now: Progress): Promise<void> {
    if (!factorSteps.isFresh(now)) return signIn.show(ctx, under);
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${under.details.uid}/enrol`);
  }

  /** Goes on with one proof more, which is only written down where the journey does not end with it. */
  async function proved(ctx: Context, under: InteractionUnderWay, proof: Proof): Promise<void> {
    const next = withProof(await progress.load(under.details), proof);
    if ((await stepFrom(ctx, under, next)) === 'signed-in') return finish(ctx, under, next);
    return dispatch(ctx, under, await progress.change(under.details, (current) => withProof(current, proof)));
  }

  return { holderOf, stepFrom, dispatch, proved };
}

export type GoingOn = ReturnType<typeof createGoingOn>;
