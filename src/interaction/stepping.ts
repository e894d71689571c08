/** What the routes of every step are made of: loading the journey, reading its forms, going on. `routes.ts` makes it. */
import type { Context, Middleware } from 'koa';
import type { Proof } from './dispatch.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { Progress } from './progress.ts';

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
