/** The pages of an interaction: which address leads to which step. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import compose from 'koa-compose';
import { routesOf } from '../http/routing.ts';
import { notFound } from '../kernel/errors.ts';
import { createAnswers } from './answers.ts';
import type { Proof } from './dispatch.ts';
import { addFactorRoutes } from './factor-routes.ts';
import { createGoingOn } from './going-on.ts';
import { cancel } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import { addMailRoutes } from './mail-routes.ts';
import type { InteractionNeeds } from './needs.ts';
import { addPasskeyRoutes } from './passkey-routes.ts';
import { postAsGet } from './post-as-get.ts';
import { createStepping } from './stepping.ts';
import type { StepHandler } from './stepping.ts';
import { createSteps } from './steps.ts';
import { upstreamCallbacks } from './upstream-callback.ts';
import { addUpstreamRoutes } from './upstream-routes.ts';

/** To be mounted at the issuer's path. */
export function interactionRoutes(needs: InteractionNeeds): Middleware {
  const steps = createSteps(needs);
  const { base, signIn, signUp, deadEnds, passkeySteps } = steps;
  const router = new Router({ prefix: '/interaction/:uid' });
  const goingOn = createGoingOn(needs, steps);
  const stepping = createStepping({ ...needs, deadEnds, base, goingOn });
  const { step, form, dispatch, proved } = stepping;
  const answers = createAnswers({ ...needs, ...steps, ...goingOn });

  const onlyWithSignUp: Middleware = async (_ctx, next) => {
    if (!steps.signUpEnabled()) throw notFound('Signing up is turned off.');
    await next();
  };

  const proveWith =
    (prove: (ctx: Context, under: InteractionUnderWay) => Promise<Proof | undefined>): StepHandler =>
    async (ctx, under) => {
      const proof = await prove(ctx, under);
      if (proof) await proved(ctx, under, proof);
    };

  router.get(
    '/',
    step((ctx, under) => dispatch(ctx, under)),
  );
  addUpstreamRoutes(router, { ...stepping, ...steps });
  router.get(
    '/sign-in',
    step((ctx, under) => signIn.show(ctx, under)),
  );
  router.post('/sign-in', ...form(proveWith((ctx, under) => signIn.prove(ctx, under))));
  router.get(
    '/sign-up',
    onlyWithSignUp,
    step((ctx, under) => signUp.show(ctx, under)),
  );
  router.post('/sign-up', onlyWithSignUp, ...form(proveWith((ctx, under) => signUp.create(ctx, under))));
  addMailRoutes(router, { ...stepping, ...steps, steps: steps.mailSteps });
  if (passkeySteps)
    addPasskeyRoutes(router, {
      ...stepping,
      ...steps,
      steps: passkeySteps,
      onlyWithSignUp,
      stepFrom: goingOn.stepFrom,
    });
  router.post('/keep', ...form(answers.keeping));
  router.post('/new-password', ...form(answers.anotherPassword));
  addFactorRoutes(router, { ...needs, ...stepping, ...steps, steps: steps.factorSteps, pages: steps.factorPages });
  router.post('/language', ...form(answers.language));
  router.post('/consent', ...form(answers.consent));
  router.post('/switch', ...form(async (ctx, under) => signIn.show(ctx, under)));
  router.post('/cancel', ...form((ctx, under) => cancel(needs, ctx, under)));
  router.get('/restart', (ctx) => deadEnds.restart(ctx, String(ctx.params['uid'])));
  const interaction = routesOf(router);
  const callbacks = upstreamCallbacks({
    ...needs,
    ...steps,
    deadEnd: (ctx, reason, uid) => deadEnds.show(ctx, reason, uid),
  });
  return compose([interaction, callbacks, postAsGet(base)]);
}
