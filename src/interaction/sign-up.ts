import type { Context } from 'koa';
import { newAccountId } from '../accounts/accounts.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { isEmailAddress } from '../accounts/email.ts';
import { PASSWORD_MAX, PASSWORD_MIN } from '../accounts/password-policy.ts';
import { NAME_MAX, normalizeName } from '../accounts/profile.ts';
import type { Afterwards } from '../http/afterwards.ts';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { isGatehouseError, minutes } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { Confirmations } from '../verification/confirm.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailSteps } from './mail-steps.ts';
import type { Proof } from './dispatch.ts';
import type { UpstreamSteps } from './upstream.ts';
import type { Visitor } from './visitor.ts';

interface Needs {
  accounts: Accounts;
  steps: Pick<MailSteps, 'ask' | 'localeOf'>;
  confirmations: Pick<Confirmations, 'mailLater'>;
  afterwards: Afterwards;
  /** No account before its e-mail is proved. */
  verifyFirst: boolean;
  limits: Limits;
  visitor: Visitor;
  render: Render;
  base: string;
  upstream: Pick<UpstreamSteps, 'offered'>;
}

interface FieldError {
  field: 'name' | 'email' | 'password';
  key: string;
}

interface Values {
  name: string;
  email: string;
}

/** Everything that is wrong with the form, so that a person mends it in one go. */
async function problems(accounts: Accounts, { name, email }: Values, password: string): Promise<FieldError[]> {
  const found: FieldError[] = [];
  const add = (field: FieldError['field'], key: string) => found.push({ field, key: `sign_up.error.${key}` });
  if (name === '') add('name', 'name_missing');
  else if (name.length > NAME_MAX) add('name', 'name_long');
  if (!isEmailAddress(email)) add('email', 'email_invalid');
  const weak = await accounts.passwordProblem(password, email);
  if (weak) add('password', `password_${weak}`);
  return found;
}

export function createSignUp(needs: Needs) {
  const { accounts, limits, visitor, steps, confirmations, afterwards, verifyFirst, render, base, upstream } = needs;

  async function show(
    ctx: Context,
    { details, client }: InteractionUnderWay,
    values?: Values,
    errors: FieldError[] = [],
    status = 200,
    wait = 0,
  ): Promise<void> {
    const path = `${base}/interaction/${details.uid}`;
    const page = {
      client: clientForPages(client, base),
      action: `${path}/sign-up`,
      values: values ?? { name: '', email: parameter(details, 'login_hint') ?? '' },
      errors,
      upstream: upstream.offered({ details, client }),
      wait,
      sign_in_url: `${path}/sign-in`,
      password_min: PASSWORD_MIN,
      password_max: PASSWORD_MAX,
    };
    const ui_locales = parameter(details, 'ui_locales');
    await render(ctx, 'interaction/sign-up', page, {
      title: ['sign_up.title', { client: page.client.name }],
      status,
      ui_locales,
    });
  }

  /** The account waits for its address to be proved. Nothing here depends on whether there is one with it already. */
  async function ask(ctx: Context, under: InteractionUnderWay, { name, email }: Values, password_hash: string) {
    const sign_up = { account_id: newAccountId(), name, password_hash };
    await steps.ask(ctx, under, { purpose: 'sign_up', email, sign_up });
    return undefined;
  }

  /** @returns the proof that comes with a new account; undefined when the answer is another page. */
  async function create(ctx: Context, under: InteractionUnderWay): Promise<Proof | undefined> {
    const values = { name: normalizeName(field(ctx, 'name')), email: field(ctx, 'email').trim() };
    const password = field(ctx, 'password');
    const errors = await problems(accounts, values, password);
    if (errors.length === 0) {
      try {
        await limits.spend('sign_up', await visitor.keys(ctx));
        const password_hash = await accounts.hashPassword(password);
        if (verifyFirst) return await ask(ctx, under, values, password_hash);
        const account = await accounts.create({ ...values, password_hash });
        const [locale, app] = [steps.localeOf(ctx, under), clientForPages(under.client, base).name];
        afterwards.after(ctx, () => confirmations.mailLater(account, locale, app));
        return { method: 'password', account_id: account.id, at: epochSeconds() };
      } catch (error) {
        if (isGatehouseError(error, 'limited')) {
          ctx.set('Retry-After', String(error.retryAfter));
          await show(ctx, under, values, [], 429, minutes(error));
          return undefined;
        }
        if (!isGatehouseError(error, 'duplicate')) throw error;
        errors.push({ field: 'email', key: 'sign_up.error.email_taken' });
      }
    }
    await show(ctx, under, values, errors, 400);
    return undefined;
  }

  return { show, create };
}
