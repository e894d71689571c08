/** How often mails may be asked for and codes tried, per address and per person: the one place where that is asked. */
import type { Context } from 'koa';

export interface MailLimits {
  /** @throws too_many when no further mail may be asked for. */
  mail(ctx: Context, email: string): Promise<void>;
  /** @throws too_many when no further code may be tried. */
  code(ctx: Context, email: string): Promise<void>;
}

export const noMailLimits: MailLimits = { mail: async () => undefined, code: async () => undefined };
