/** What second factors look like on the way: proving one, adding one, recovery codes, and having lost all of it. */
import type { Context } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { TotpEnrolment } from '../factors/factors.ts';
import type { FactorStep, Way } from '../factors/next.ts';
import type { Render } from '../http/render.ts';
import type { CodesLeft, FactorFailure } from './factor-steps.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';

interface Needs {
  render: Render;
  base: string;
  /** Seconds a browser may be remembered for. */
  rememberDevice: number;
}

export interface ShownFactor {
  way?: Way | undefined;
  failure?: FactorFailure;
  /** A code was mailed. */
  mailed?: boolean;
}

const DAY = 86_400;
/** In groups of four, as people read it out. */
const inGroups = (secret: string): string => secret.match(/.{1,4}/g)!.join(' ');

/** So much of an address that its owner knows which one it is. */
const masked = (email: string): string => `${email[0]}…${email.slice(email.lastIndexOf('@'))}`;

export function createFactorPages({ render, base, rememberDevice }: Needs) {
  const pathOf = ({ details }: InteractionUnderWay) => `${base}/interaction/${details.uid}`;

  const draw = (ctx: Context, under: InteractionUnderWay, view: string, title: string, model: object, status = 200) =>
    render(
      ctx,
      `interaction/${view}`,
      { client: clientForPages(under.client, base), continue_url: pathOf(under), ...model },
      { title: [title], status, ui_locales: parameter(under.details, 'ui_locales') },
    );

  return {
    async secondFactor(
      ctx: Context,
      under: InteractionUnderWay,
      account: Account,
      ways: Way[],
      shown: ShownFactor = {},
    ) {
      const path = pathOf(under);
      const { failure, mailed = false } = shown;
      const way = shown.way ?? ways[0]!;
      const others = ways
        .filter((one) => one !== way)
        .map((one) => ({ way: one, url: `${path}/second-factor?way=${one}` }));
      const model = {
        way,
        others,
        account: { email: account.email },
        masked_email: masked(account.email),
        mailed: mailed || way !== 'second_mailed_code',
        action: `${path}/second-factor`,
        mail_action: `${path}/second-factor/mail`,
        passkey:
          way === 'passkey'
            ? { action: `${path}/second-factor/passkey`, options_url: `${path}/second-factor/passkey/options` }
            : null,
        lost_url: `${path}/second-factor/lost`,
        switch_url: `${path}/sign-in`,
        remember_days: way === 'recovery_code' ? 0 : Math.floor(rememberDevice / DAY),
        error: failure?.error ?? null,
        wait: failure?.wait ?? 0,
      };
      await draw(ctx, under, 'second-factor', 'factors.prove.title', model, failure?.status);
    },

    async enrol(
      ctx: Context,
      under: InteractionUnderWay,
      { secret, qr }: TotpEnrolment,
      { mandatory, kinds }: Extract<FactorStep, { step: 'enrol' }>,
      failure?: FactorFailure,
    ) {
      const path = pathOf(under);
      const model = {
        qr,
        secret: inGroups(secret),
        action: `${path}/enrol`,
        skip_action: mandatory ? null : `${path}/enrol/skip`,
        with_totp: kinds.includes('totp'),
        passkey: kinds.includes('passkey')
          ? { action: `${path}/enrol/passkey`, options_url: `${path}/enrol/passkey/options` }
          : null,
        cancel_action: `${path}/cancel`,
        error: failure?.error ?? null,
        wait: failure?.wait ?? 0,
      };
      await draw(ctx, under, 'enrol', 'factors.enrol.title', model, failure?.status);
    },

    recoveryCodes: (ctx: Context, under: InteractionUnderWay, account: Account, codes: string[]) =>
      draw(ctx, under, 'recovery-codes', 'factors.codes.title', { codes, email: account.email }),

    /** @param options `made`: new ones were made a moment ago. */
    fewCodes: (ctx: Context, under: InteractionUnderWay, codes: CodesLeft, { made } = { made: false }) =>
      draw(ctx, under, 'few-codes', made ? 'factors.codes.title' : 'factors.few.title', {
        ...codes,
        made,
        action: `${pathOf(under)}/recovery-codes`,
      }),

    lost: (ctx: Context, under: InteractionUnderWay, ways: Way[]) =>
      draw(ctx, under, 'factors-lost', 'factors.lost.title', {
        back_url: `${pathOf(under)}/second-factor`,
        cancel_action: `${pathOf(under)}/cancel`,
        ways,
      }),
  };
}

export type FactorPages = ReturnType<typeof createFactorPages>;
