/** How often mails may be asked for and mailed codes tried, per address and per person: the one place where that is asked. */
import type { Context } from 'koa';
import type { Limits } from '../limits/limits.ts';
import type { Visitor } from './visitor.ts';

export interface MailLimits {
  /** @throws limited when no further mail may be asked for. */
  mail(ctx: Context, email: string): Promise<void>;
  /**
   * Tries a code, unless too many were wrong.
   * @param isRight what an answer to the try says. @returns the answer. @throws limited without trying.
   */
  code<T>(ctx: Context, email: string, attempt: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T>;
}

interface Needs {
  limits: Limits;
  visitor: Visitor;
}

export function createMailLimits({ limits, visitor }: Needs): MailLimits {
  return {
    mail: async (ctx, email) => limits.spend('mail', await visitor.keys(ctx, email)),
    async code(ctx, email, attempt, isRight) {
      const reserved = await limits.reserve('code', await visitor.keys(ctx, email));
      const answer = await attempt().catch(async (error: unknown) => {
        await reserved.release();
        throw error;
      });
      await (isRight(answer) ? reserved.right() : reserved.wrong());
      return answer;
    },
  };
}
