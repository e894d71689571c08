/** `/interaction/:uid/passkey` (sign in), `…/add-passkey` and `…/sign-up/passkey`. */
import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Context } from 'koa';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Step } from './dispatch.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { Adding, PasskeySteps } from './passkey-steps.ts';
import type { Progress, ProgressRecords } from './progress.ts';
import type { SignIn } from './sign-in.ts';
import type { SignUp } from './sign-up.ts';
import type { StepHandler, Stepping } from './stepping.ts';

interface Needs extends Stepping {
  steps: PasskeySteps;
  signIn: SignIn;
  /** Undefined where nobody may sign up. */
  signUp: SignUp;
  /** Lets nobody through while people cannot make accounts. */
  onlyWithSignUp: Middleware;
  progress: ProgressRecords;
  stepFrom(ctx: Context, under: InteractionUnderWay, so_far: Progress): Promise<Step>;
}

export function addPasskeyRoutes(router: Router, needs: Needs): void {
  const { steps, signIn, signUp, onlyWithSignUp, progress, step, form, stepFrom, dispatch, proved } = needs;

  const signInWithPasskey: StepHandler = async (ctx, under) => {
    const result = await steps.signIn(ctx, under);
    return 'error' in result ? signIn.showPasskeyProblem(ctx, under, result) : proved(ctx, under, result);
  };

  /** Only where the dispatcher asks for it: nobody adds a passkey before all else that is asked was proved. */
  const whileAdding =
    (handle: (ctx: Context, under: InteractionUnderWay, now: Progress, adding: Adding) => Promise<void>): StepHandler =>
    async (ctx, under) => {
      const now = await progress.load(under.details);
      const adding = (await stepFrom(ctx, under, now)) === 'add-passkey' ? await steps.due(ctx, now) : undefined;
      return adding === undefined ? dispatch(ctx, under, now) : handle(ctx, under, now, adding);
    };

  const answered = (under: InteractionUnderWay) =>
    progress.change(under.details, (current) => ({ ...current, passkey_answered: true }));

  const add = whileAdding(async (ctx, under, now, adding) => {
    try {
      const result = await steps.add(ctx, under, now);
      if (result === 'address_taken') return await signUp.showTaken(ctx, under, now.sign_up!);
      if (typeof result === 'string') return await steps.showAdding(ctx, under, adding, result);
      if (result.created) signUp.mailLater(ctx, under, result.created);
      steps.remember(ctx);
      const next = await answered(under);
      // An offer that was taken does not make this sign-in a stronger one: the key was made, not used.
      return adding === 'offer' ? await dispatch(ctx, under, next) : await proved(ctx, under, result.proof);
    } catch (error) {
      if (!isGatehouseError(error, 'conflict')) throw error;
      return steps.showAdding(ctx, under, adding, 'too_many');
    }
  });

  const skip = whileAdding(async (ctx, under, now) => {
    // Without a proof there is no account yet, and nothing to go on with.
    if (now.proofs.length === 0) return dispatch(ctx, under, now);
    steps.remember(ctx);
    return dispatch(ctx, under, await answered(under));
  });

  const begin: StepHandler = async (ctx, under) => {
    const sign_up = await signUp.beginWithPasskey(ctx, under);
    if (!sign_up) return;
    const next = await progress.change(under.details, (now) => ({ ...now, sign_up, passkey_answered: undefined }));
    if (!(await signUp.askForProof(ctx, under, sign_up))) await dispatch(ctx, under, next);
  };

  router.post('/passkey/options', ...form(steps.signInOptions));
  router.post('/passkey', ...form(signInWithPasskey));
  router.get(
    '/add-passkey',
    step((ctx, under) => dispatch(ctx, under)),
  );
  router.post('/add-passkey/options', ...form(whileAdding((ctx, under, now) => steps.addingOptions(ctx, under, now))));
  router.post('/add-passkey', ...form(add));
  router.post('/add-passkey/skip', ...form(skip));
  router.post('/sign-up/passkey', onlyWithSignUp, ...form(begin));
}
