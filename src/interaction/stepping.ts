/** What the routes of every step are made of: loading the journey, reading its forms, going on. */
import type { RouterContext } from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Accounts } from '../accounts/accounts.ts';
import { field, readForm } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import { notePage } from '../http/language.ts';
import { noteReader } from '../http/locale.ts';
import type { Proof } from './dispatch.ts';
import type { GoingOn } from './going-on.ts';
import { DeadEnd, loadInteraction } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { Progress } from './progress.ts';
import type { Steps } from './steps.ts';

export type StepHandler = (ctx: Context, under: InteractionUnderWay) => Promise<void>;

export interface Stepping {
  step(handle: StepHandler): Middleware;
  /** A form of ours: read, then verified before anything else looks at it. */
  form(handle: StepHandler): Middleware[];
  /** The page of the next step, or the end. */
  dispatch(ctx: Context, under: InteractionUnderWay, so_far?: Progress): Promise<void>;
  /** Goes on with one proof more. */
  proved(ctx: Context, under: InteractionUnderWay, proof: Proof): Promise<void>;
}

interface Needs {
  provider: Provider;
  accounts: Pick<Accounts, 'find'>;
  csrf: Pick<Csrf, 'verify'>;
  deadEnds: Pick<Steps['deadEnds'], 'show'>;
  base: string;
  goingOn: Pick<GoingOn, 'dispatch' | 'proved'>;
}

export function createStepping({ provider, accounts, csrf, deadEnds, base, goingOn }: Needs): Stepping {
  /** For the foot of the page: where it can be opened again, and in whose language it is. */
  async function noteWhere(ctx: Context, { details }: InteractionUnderWay): Promise<void> {
    const path = `${base}/interaction/${details.uid}`;
    const opens = (ctx as RouterContext).matched?.some(({ methods }) => methods.includes('GET')) === true;
    const form_page = opens ? ctx.originalUrl : path;
    notePage(ctx, { language_action: `${path}/language`, form_page });
    const reader = details.session && (await accounts.find(details.session.accountId));
    if (reader) noteReader(ctx, reader);
  }

  const step =
    (handle: StepHandler): Middleware =>
    async (ctx) => {
      try {
        const under = await loadInteraction(provider, ctx);
        await noteWhere(ctx, under);
        await handle(ctx, under);
      } catch (error) {
        if (!(error instanceof DeadEnd)) throw error;
        await deadEnds.show(ctx, error.reason, error.uid);
      }
    };

  /** A form of ours: read, then verified before anything else looks at it. */
  const form = (handle: StepHandler): Middleware[] => [
    readForm(),
    step(async (ctx, under) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      await handle(ctx, under);
    }),
  ];

  return { step, form, dispatch: goingOn.dispatch, proved: goingOn.proved };
}
