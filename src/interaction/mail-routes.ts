/** `/interaction/:uid/check-mail`, `…/forgot-password` and `…/mailed-sign-in`. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { JourneyMail } from '../verification/journey-mail.ts';
import type { MailRequest } from '../verification/request.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailSteps } from './mail-steps.ts';
import type { ForgotPassword } from './recovery.ts';
import type { MailedSignIn } from './mailed-sign-in.ts';
import type { StepHandler, Stepping } from './stepping.ts';

interface Needs extends Stepping {
  journeyMail: JourneyMail;
  steps: MailSteps;
  forgot: ForgotPassword | undefined;
  mailedSignIn: MailedSignIn | undefined;
}

export function addMailRoutes(router: Router, needs: Needs): void {
  const { journeyMail, steps, forgot, mailedSignIn, step, form, dispatch, proved } = needs;

  /** Without anything to wait for, whoever comes here is led on. */
  const waiting =
    (handle: (ctx: Context, under: InteractionUnderWay, request: MailRequest) => Promise<void>): StepHandler =>
    async (ctx, under) => {
      const request = await journeyMail.find(under.details.uid);
      return request ? handle(ctx, under, request) : dispatch(ctx, under);
    };

  async function goOn(ctx: Context, under: InteractionUnderWay, request: MailRequest): Promise<void> {
    if (!request.proved) return steps.page(ctx, under, request, { notice: 'not_yet' });
    const proof = steps.proofOf(request);
    return proof ? proved(ctx, under, proof) : dispatch(ctx, under);
  }

  router.get('/check-mail', step(waiting((ctx, under, request) => steps.page(ctx, under, request, {}))));
  router.get('/check-mail/continue', step(waiting(goOn)));
  router.post('/check-mail/again', ...form(waiting((ctx, under, request) => steps.again(ctx, under, request))));
  router.post('/check-mail/address', ...form(waiting((ctx, under, request) => steps.readdress(ctx, under, request))));
  router.post(
    '/check-mail',
    ...form(
      waiting(async (ctx, under, request) => {
        if (!(await steps.tryCode(ctx, under, request))) return;
        await goOn(ctx, under, (await journeyMail.find(under.details.uid)) ?? request);
      }),
    ),
  );
  if (forgot) {
    router.get('/forgot-password', step(forgot.show));
    router.post('/forgot-password', ...form(forgot.send));
  }
  if (mailedSignIn) {
    router.get('/mailed-sign-in', step(mailedSignIn.show));
    router.post('/mailed-sign-in', ...form(mailedSignIn.send));
  }
}
