/** `/interaction/:uid/second-factor`, `…/enrol` and `…/recovery-codes`. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Factors } from '../factors/factors.ts';
import type { FactorStep, Way } from '../factors/next.ts';
import { field } from '../http/body.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { Proof } from './dispatch.ts';
import type { FactorPages } from './factor-pages.ts';
import type { FactorFailure, FactorSteps } from './factor-steps.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailedFactor } from './mailed-factor.ts';
import { PASSKEY_STATUS } from './passkey-steps.ts';
import type { PasskeySteps } from './passkey-steps.ts';
import { withProof } from './progress.ts';
import type { StepHandler, Stepping } from './stepping.ts';
import type { ProgressRecords } from './progress.ts';
import type { Visitor } from './visitor.ts';

type Missing<S> = Extract<FactorStep, { step: S }>;

interface Needs extends Stepping {
  factors: Factors;
  steps: FactorSteps;
  pages: FactorPages;
  progress: ProgressRecords;
  limits: Limits;
  visitor: Visitor;
  mailed: MailedFactor | undefined;
  /** Undefined where there are none. */
  passkeySteps: PasskeySteps | undefined;
}

/** Seconds for which a second factor that was proved in this journey makes new recovery codes. */
const FRESH = 900;

export function addFactorRoutes(router: Router, needs: Needs): void {
  const { factors, steps, pages, progress, limits, visitor, mailed, passkeySteps, step, form, dispatch, proved } =
    needs;

  /** Runs `handle` where the journey waits for this step; elsewhere whoever comes here is led on. */
  const at =
    <S extends 'second-factor' | 'enrol'>(
      name: S,
      handle: (ctx: Context, under: InteractionUnderWay, account: Account, missing: Missing<S>) => Promise<void>,
    ): StepHandler =>
    async (ctx, under) => {
      const now = await progress.load(under.details);
      const account = await steps.accountOf(now);
      const missing = await steps.stepOf(under, now);
      const mayEnrol = name !== 'enrol' || steps.isFresh(now);
      if (!account || missing.step !== name || !mayEnrol) return dispatch(ctx, under, now);
      return handle(ctx, under, account, missing as Missing<S>);
    };

  /** The way that was chosen, if it is one of those there are. */
  const chosen = (wish: unknown, ways: Way[]): Way | undefined => ways.find((way) => way === wish);

  const prove = at('second-factor', async (ctx, under, account, { ways }) => {
    const way = chosen(field(ctx, 'way'), ways);
    if (!way) return pages.secondFactor(ctx, under, account, ways);
    const outcome = await steps.tryCode(ctx, under, account, way);
    if ('error' in outcome)
      return pages.secondFactor(ctx, under, account, ways, { way, failure: outcome, mailed: true });
    const few = way === 'recovery_code' ? await steps.fewCodes(account.id) : undefined;
    if (few === undefined) return proved(ctx, under, outcome);
    await progress.change(under.details, (now) => withProof(now, outcome));
    return pages.fewCodes(ctx, under, few);
  });

  const sendMail = at('second-factor', async (ctx, under, account, { ways }) => {
    if (!mailed || !ways.includes('second_mailed_code')) return pages.secondFactor(ctx, under, account, ways);
    await mailed.send(ctx, under, account);
    return pages.secondFactor(ctx, under, account, ways, { way: 'second_mailed_code', mailed: true });
  });

  async function showEnrol(ctx: Context, under: InteractionUnderWay, account: Account, missing: Missing<'enrol'>) {
    return pages.enrol(ctx, under, await factors.beginTotp(account, under.details.uid), missing);
  }

  /** @returns undefined where the code was right. */
  async function tryFirstCode(ctx: Context, under: InteractionUnderWay, account: Account) {
    const code = field(ctx, 'code');
    const failed = (error: string): FactorFailure => ({ error: `factors.error.${error}`, status: 400 });
    if (code.trim() === '') return failed('missing_totp');
    try {
      const right = await limits.guess('code', await visitor.keys(ctx, account.email), async () =>
        (await factors.confirmTotp(account.id, under.details.uid, code)) === true ? true : undefined,
      );
      return right ? undefined : failed('wrong_first');
    } catch (error) {
      if (!isGatehouseError(error, 'limited')) throw error;
      ctx.set('Retry-After', String(error.retryAfter));
      return { error: 'limited.tries', status: 429, wait: minutes(error) };
    }
  }

  const enrol = at('enrol', async (ctx, under, account, missing) => {
    const failure = await tryFirstCode(ctx, under, account);
    if (failure) {
      const enrolment = await factors.beginTotp(account, under.details.uid);
      return pages.enrol(ctx, under, enrolment, missing, failure);
    }
    const codes = await factors.renewRecoveryCodes(account.id, { with_factor: true });
    const proof: Proof = { method: 'totp', account_id: account.id, at: epochSeconds() };
    await progress.change(under.details, (now) => withProof(now, proof));
    return pages.recoveryCodes(ctx, under, account, codes);
  });

  const skip = at('enrol', async (ctx, under, _account, { mandatory }) => {
    if (mandatory) return dispatch(ctx, under);
    return dispatch(ctx, under, await progress.change(under.details, (now) => ({ ...now, enrolment_skipped: true })));
  });

  const provePasskey = at('second-factor', async (ctx, under, account, { ways }) => {
    if (!passkeySteps || !ways.includes('passkey')) return pages.secondFactor(ctx, under, account, ways);
    const result = await passkeySteps.confirm(ctx, under, account);
    if (!('error' in result)) return proved(ctx, under, result);
    return pages.secondFactor(ctx, under, account, ways, { way: 'passkey', failure: result });
  });

  const passkeyOptions = at('second-factor', async (ctx, under, account, { ways }) => {
    if (passkeySteps && ways.includes('passkey')) await passkeySteps.confirmOptions(ctx, under, account.id);
  });

  const enrolPasskeyOptions = at('enrol', async (ctx, under, _account, { kinds }) => {
    if (passkeySteps && kinds.includes('passkey'))
      await passkeySteps.addingOptions(ctx, under, await progress.load(under.details));
  });

  const enrolPasskey = at('enrol', async (ctx, under, account, missing) => {
    const again = async (failure?: FactorFailure) =>
      pages.enrol(ctx, under, await factors.beginTotp(account, under.details.uid), missing, failure);
    if (!passkeySteps || !missing.kinds.includes('passkey')) return again();
    const result = await passkeySteps.add(ctx, under, await progress.load(under.details));
    if (result === 'address_taken') return dispatch(ctx, under);
    if (typeof result === 'string')
      return again({ error: `passkeys.problem.${result}`, status: PASSKEY_STATUS[result] });
    const codes = await factors.renewRecoveryCodes(account.id, { with_factor: true });
    await progress.change(under.details, (now) => withProof(now, result.proof));
    return pages.recoveryCodes(ctx, under, account, codes);
  });

  /** For whoever has just used one of their last. */
  const renew: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    const account = await steps.accountOf(now);
    const recent = epochSeconds() - FRESH;
    const may = now.proofs.some(({ method, at: when }) => method === 'recovery_code' && when >= recent);
    if (!account || !may) return dispatch(ctx, under, now);
    const codes = await factors.replaceRecoveryCodes(account.id, field(ctx, 'since') || null);
    if (codes) return pages.recoveryCodes(ctx, under, account, codes);
    // Their page was loaded anew, or the button pressed twice: another set would make the first one useless.
    return pages.fewCodes(ctx, under, await steps.codesOf(account.id), { made: true });
  };

  router.get(
    '/second-factor',
    step(
      at('second-factor', (ctx, under, account, { ways }) =>
        pages.secondFactor(ctx, under, account, ways, { way: chosen(ctx.query['way'], ways) }),
      ),
    ),
  );
  router.post('/second-factor', ...form(prove));
  router.post('/second-factor/passkey', ...form(provePasskey));
  router.post('/second-factor/passkey/options', ...form(passkeyOptions));
  router.post('/second-factor/mail', ...form(sendMail));
  router.get(
    '/second-factor/lost',
    step(at('second-factor', (ctx, under, _account, { ways }) => pages.lost(ctx, under, ways))),
  );
  router.get('/enrol', step(at('enrol', showEnrol)));
  router.post('/enrol', ...form(enrol));
  router.post('/enrol/passkey', ...form(enrolPasskey));
  router.post('/enrol/passkey/options', ...form(enrolPasskeyOptions));
  router.post('/enrol/skip', ...form(skip));
  router.post('/recovery-codes', ...form(renew));
}
