/** A mailed code as the second factor, where the policy has that. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import { readsBest } from '../accounts/profile.ts';
import type { Afterwards } from '../http/afterwards.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { CodeAnswer, MailedCodes } from '../verification/codes.ts';
import { CODE_TTL } from '../verification/codes.ts';
import { clientForPages } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailLimits } from './mail-limits.ts';
import type { MailSteps } from './mail-steps.ts';

interface Needs {
  codes: MailedCodes;
  mailer: Pick<Mailer, 'send'>;
  mailLimits: MailLimits;
  mailSteps: Pick<MailSteps, 'localeOf'>;
  afterwards: Afterwards;
  base: string;
}

export interface MailedFactor {
  /** Mails a code in the place of an older one. @throws limited. */
  send(ctx: Context, under: InteractionUnderWay, account: Account): Promise<void>;
  check(under: InteractionUnderWay, account: Account, code: string): Promise<CodeAnswer>;
}

export function createMailedFactor({ codes, mailer, mailLimits, mailSteps, afterwards, base }: Needs): MailedFactor {
  const place = ({ details }: InteractionUnderWay, { email }: Account) =>
    ({ purpose: 'second_factor', uid: details.uid, email }) as const;

  return {
    async send(ctx, under, account) {
      await mailLimits.mail(ctx, account.email);
      const code = await codes.issue(place(under, account));
      const locale = readsBest(account, mailSteps.localeOf(ctx, under));
      const app = clientForPages(under.client, base).name;
      const data = { code, app, name: account.name, minutes: CODE_TTL / 60 };
      afterwards.after(ctx, () => mailer.send({ to: account.email, template: 'second-factor', locale, data }));
    },
    check: (under, account, code) => codes.check(place(under, account), code),
  };
}
