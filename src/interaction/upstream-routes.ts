/** `/interaction/:uid/upstream` and `…/link`: to an upstream, back from it, and joining what was proved there. */
import type Router from '@koa/router';
import type { ProgressRecords } from './progress.ts';
import type { SignIn } from './sign-in.ts';
import type { UpstreamSteps } from './upstream.ts';
import type { StepHandler, Stepping } from './stepping.ts';

interface Needs extends Stepping {
  upstream: UpstreamSteps;
  signIn: Pick<SignIn, 'show'>;
  progress: ProgressRecords;
  base: string;
}

export function addUpstreamRoutes(router: Router, needs: Needs): void {
  const { upstream, signIn, progress, base, step, form, dispatch, proved } = needs;

  /** Where a person comes back to from an upstream: with an identity, or with a reason why there is none. */
  const comeBack: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    const next = now.identity ? await upstream.settle(under, now) : now;
    if (next.upstream_problem && !next.joining) return signIn.show(ctx, under, { notice: upstream.notice(next) });
    return dispatch(ctx, under, next);
  };

  const goUpstream: StepHandler = async (ctx, under) => {
    if (!(await upstream.begin(ctx, under, String((ctx as unknown as { params: { name: string } }).params.name))))
      await comeBack(ctx, under);
  };

  const proveLink: StepHandler = async (ctx, under) => {
    const now = await progress.load(under.details);
    // Already joined, or cancelled in another tab.
    if (!now.joining) return dispatch(ctx, under, now);
    const proof = await upstream.proveLink(ctx, under, now);
    if (proof) await proved(ctx, under, proof);
  };

  const cancelLink: StepHandler = async (ctx, under) => {
    await progress.change(under.details, (now) => ({ ...now, joining: undefined, upstream_problem: undefined }));
    ctx.status = 303;
    ctx.redirect(`${base}/interaction/${under.details.uid}/sign-in`);
  };

  router.get('/upstream', step(comeBack));
  router.post('/upstream/:name', ...form(goUpstream));
  router.get(
    '/link',
    step((ctx, under) => dispatch(ctx, under)),
  );
  router.post('/link', ...form(proveLink));
  router.post(
    '/link/mail',
    ...form(async (ctx, under) => {
      const now = await progress.load(under.details);
      return now.joining ? upstream.mailLink(ctx, under, now) : dispatch(ctx, under, now);
    }),
  );
  router.post('/link/cancel', ...form(cancelLink));
}
