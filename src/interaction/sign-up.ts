import type { Context } from 'koa';
import { newAccountId } from '../accounts/new-account.ts';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { isEmailAddress } from '../accounts/email.ts';
import { PASSWORD_MAX } from '../accounts/password-policy.ts';
import { NAME_MAX, normalizeName } from '../accounts/profile.ts';
import type { Afterwards } from '../http/afterwards.ts';
import { field } from '../http/body.ts';
import type { Render } from '../http/render.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { duplicate, isGatehouseError, minutes } from '../kernel/errors.ts';
import type { Limits } from '../limits/limits.ts';
import type { Confirmations } from '../verification/confirm.ts';
import type { PendingSignUp } from '../verification/request.ts';
import { clientForPages, parameter } from './journey.ts';
import type { InteractionUnderWay } from './journey.ts';
import type { MailSteps } from './mail-steps.ts';
import type { Proof } from './dispatch.ts';
import type { Progress } from './progress.ts';
import type { UpstreamSteps } from './upstream.ts';
import type { Visitor } from './visitor.ts';

interface Needs {
  accounts: Accounts;
  steps: Pick<MailSteps, 'ask' | 'localeOf' | 'markOf'>;
  confirmations: Pick<Confirmations, 'mailLater'>;
  afterwards: Afterwards;
  /** No account before its e-mail is proved. */
  verifyFirst: boolean;
  limits: Limits;
  visitor: Visitor;
  render: Render;
  base: string;
  upstream: Pick<UpstreamSteps, 'offered'>;
  passkeysEnabled: boolean;
  offerCookie: string | null;
}

interface FieldError {
  field: 'name' | 'email' | 'password';
  key: string;
}

/** An account that is to be made with a passkey in place of a password. */
type PasskeySignUp = NonNullable<Progress['sign_up']>;

interface Values {
  name: string;
  email: string;
}

/** Everything that is wrong with the form, so that a person mends it in one go. Without a password there is nothing wrong with it. */
async function problems(accounts: Accounts, { name, email }: Values, password?: string): Promise<FieldError[]> {
  const found: FieldError[] = [];
  const add = (field: FieldError['field'], key: string) => found.push({ field, key: `sign_up.error.${key}` });
  if (name === '') add('name', 'name_missing');
  else if (name.length > NAME_MAX) add('name', 'name_long');
  if (!isEmailAddress(email)) add('email', 'email_invalid');
  const weak = password === undefined ? undefined : await accounts.passwordProblem(password, email);
  if (weak) add('password', `password_${weak}`);
  return found;
}

export function createSignUp(needs: Needs) {
  const { accounts, limits, visitor, steps, confirmations, afterwards, verifyFirst, render, base, upstream } = needs;
  const { passkeysEnabled, offerCookie } = needs;

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
      passkey: passkeysEnabled ? { action: `${path}/sign-up/passkey`, offer_cookie: offerCookie } : null,
      sign_in_url: `${path}/sign-in`,
      password_min: accounts.passwordMin(),
      password_max: PASSWORD_MAX,
    };
    const ui_locales = parameter(details, 'ui_locales');
    await render(ctx, 'interaction/sign-up', page, {
      title: ['sign_up.title', { client: page.client.name }],
      status,
      ui_locales,
    });
  }

  const valuesOf = (ctx: Context): Values => ({
    name: normalizeName(field(ctx, 'name')),
    email: field(ctx, 'email').trim(),
  });

  /** The account waits for its address to be proved. Nothing here depends on whether there is one with it already. */
  async function ask(ctx: Context, under: InteractionUnderWay, email: string, sign_up: PendingSignUp) {
    await steps.ask(ctx, under, { purpose: 'sign_up', email, sign_up });
    return undefined;
  }

  const showTaken = (ctx: Context, under: InteractionUnderWay, values: Values) =>
    show(ctx, under, values, [{ field: 'email', key: 'sign_up.error.email_taken' }], 400);

  /**
   * Does what a form that is in order leads to, within limits.
   * @returns undefined too when the answer is another page.
   */
  async function within<T>(
    ctx: Context,
    under: InteractionUnderWay,
    { values, password }: { values: Values; password?: string },
    work: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const errors = await problems(accounts, values, password);
    if (errors.length > 0) {
      await show(ctx, under, values, errors, 400);
      return undefined;
    }
    try {
      await limits.spend('sign_up', await visitor.keys(ctx));
      return await work();
    } catch (error) {
      if (isGatehouseError(error, 'limited')) {
        ctx.set('Retry-After', String(error.retryAfter));
        await show(ctx, under, values, [], 429, minutes(error));
        return undefined;
      }
      if (!isGatehouseError(error, 'duplicate')) throw error;
      await showTaken(ctx, under, values);
      return undefined;
    }
  }

  function mailLater(ctx: Context, under: InteractionUnderWay, account: Account): void {
    const [locale, app] = [steps.localeOf(ctx, under), clientForPages(under.client, base).name];
    const { browser } = steps.markOf(ctx, under);
    afterwards.after(ctx, () => confirmations.mailLater(account, { locale, app, browser }));
  }

  /** @returns the proof that comes with a new account; undefined when the answer is another page. */
  function create(ctx: Context, under: InteractionUnderWay): Promise<Proof | undefined> {
    const values = valuesOf(ctx);
    const password = field(ctx, 'password');
    return within(ctx, under, { values, password }, async () => {
      const password_hash = await accounts.hashPassword(password);
      const { name, email } = values;
      if (verifyFirst) return ask(ctx, under, email, { account_id: newAccountId(), name, password_hash });
      const account = await accounts.create({ ...values, password_hash });
      mailLater(ctx, under, account);
      return { method: 'password', account_id: account.id, at: epochSeconds() };
    });
  }

  /**
   * For an account whose way in is a passkey.
   * @returns the account to be made; undefined when the answer is another page.
   */
  function beginWithPasskey(ctx: Context, under: InteractionUnderWay): Promise<PasskeySignUp | undefined> {
    const values = valuesOf(ctx);
    return within(ctx, under, { values }, async () => {
      const account_id = newAccountId();
      if (!verifyFirst && !(await accounts.isFree(values.email, account_id))) throw duplicate('the e-mail is taken');
      return { account_id, ...values };
    });
  }

  /** Asks for the address first, where that is the rule. @returns whether it is. */
  async function askForProof(ctx: Context, under: InteractionUnderWay, { email, ...rest }: PasskeySignUp) {
    if (verifyFirst) await ask(ctx, under, email, { ...rest, password_hash: null });
    return verifyFirst;
  }

  return { show, create, showTaken, beginWithPasskey, askForProof, mailLater };
}

export type SignUp = ReturnType<typeof createSignUp>;
