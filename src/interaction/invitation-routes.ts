/**
 * `/mailed/invitation`: where an invitation's link leads. The page asks for a password or a passkey; a GET consumes nothing. The
 * address is the invitation's: no form says one.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Account } from '../accounts/account.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Invitation } from '../accounts/invitation.ts';
import { PASSWORD_MAX } from '../accounts/password-policy.ts';
import { NAME_MAX, normalizeName } from '../accounts/profile.ts';
import type { Passkeys } from '../factors/passkeys.ts';
import { field, readForm } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import type { Limits } from '../limits/limits.ts';
import { INVITATION_PATH } from '../verification/invitations.ts';
import type { Invitations } from '../verification/invitations.ts';
import { countMisses } from './misses.ts';
import type { Visitor } from './visitor.ts';

interface Needs {
  invitations: Pick<Invitations, 'find' | 'accept' | 'nameFor'>;
  accounts: Pick<Accounts, 'passwordMin' | 'passwordProblem' | 'hashPassword'>;
  /** Undefined where there are none. */
  passkeys: Passkeys | undefined;
  csrf: Csrf;
  render: Render;
  limits: Limits;
  visitor: Visitor;
  /** The issuer's path. */
  base: string;
  /** Where the person goes on to; null where there is no such page. */
  home: string | null;
}

interface Problem {
  field: 'name' | 'password';
  key: string;
}

const noReferrer: Middleware = async (ctx, next) => {
  ctx.set('Referrer-Policy', 'strict-origin');
  await next();
};

const single = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

export function invitationRoutes(needs: Needs): Middleware {
  const { invitations, accounts, passkeys, csrf, render, base, home } = needs;
  const router = new Router();
  router.use(countMisses(needs, 'link'));
  const bindingOf = ({ id, token_hash }: Invitation) => `invitation:${id}:${token_hash}`;

  const tell = (ctx: Context, key: string, { status = 200, about = {}, go_on = null as string | null } = {}) =>
    render(
      ctx,
      'interaction/mailed-done',
      { key, about, go_on, ok: status === 200 },
      { title: [`mailed.${key}.title`], status },
    );
  const dead = (ctx: Context) => tell(ctx, 'dead', { status: 400 });

  async function page(
    ctx: Context,
    token: string,
    invitation: Invitation,
    { name, problem, passkey_problem }: { name?: string; problem?: Problem; passkey_problem?: string } = {},
  ): Promise<void> {
    const query = `?token=${encodeURIComponent(token)}`;
    const model = {
      action: base + INVITATION_PATH,
      token,
      email: invitation.email,
      name: name ?? invitations.nameFor(invitation),
      problem: problem ?? null,
      passkey: passkeys && {
        action: `${base}${INVITATION_PATH}/passkey${query}`,
        options_url: `${base}${INVITATION_PATH}/passkey/options${query}`,
      },
      passkey_problem: passkey_problem ? `passkeys.problem.${passkey_problem}` : null,
      password_min: accounts.passwordMin(),
      password_max: PASSWORD_MAX,
    };
    const status = problem || passkey_problem ? 400 : 200;
    await render(ctx, 'interaction/invitation', model, { title: ['mailed.invitation.title'], status });
  }

  async function answered(ctx: Context, account: Account | 'taken' | undefined): Promise<void> {
    if (!account) return dead(ctx);
    if (account === 'taken') return tell(ctx, 'taken', { status: 400 });
    await tell(ctx, 'invited', { about: { email: account.email }, go_on: home });
  }

  async function problemOf(name: string, password: string, email: string): Promise<Problem | undefined> {
    if (name === '') return { field: 'name', key: 'name_missing' };
    if (name.length > NAME_MAX) return { field: 'name', key: 'name_long' };
    const weak = await accounts.passwordProblem(password, email);
    return weak && { field: 'password', key: `password_${weak}` };
  }

  router.get(INVITATION_PATH, noReferrer, async (ctx) => {
    const token = single(ctx.query['token']);
    const invitation = await invitations.find(token);
    await (invitation ? page(ctx, token, invitation) : dead(ctx));
  });

  router.post(INVITATION_PATH, noReferrer, readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    const token = field(ctx, 'token');
    const invitation = await invitations.find(token);
    if (!invitation) return dead(ctx);
    const [name, password] = [normalizeName(field(ctx, 'name')), field(ctx, 'password')];
    const problem = await problemOf(name, password, invitation.email);
    if (problem) return page(ctx, token, invitation, { name, problem });
    const password_hash = await accounts.hashPassword(password);
    await answered(ctx, await invitations.accept(token, { name, password_hash }));
  });

  if (passkeys) {
    router.post(`${INVITATION_PATH}/passkey/options`, noReferrer, readForm(), async (ctx) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      const invitation = await invitations.find(single(ctx.query['token']));
      ctx.set('Cache-Control', 'no-store');
      if (!invitation) return void (ctx.status = 400);
      const { account_id: id, email } = invitation;
      const holder = { id, email, name: invitations.nameFor(invitation) };
      ctx.body = await passkeys.registrationOptions(bindingOf(invitation), holder);
    });

    // The passkey comes first: an account that nobody can enter would be worse than a passkey that opens nothing.
    router.post(`${INVITATION_PATH}/passkey`, noReferrer, readForm(), async (ctx) => {
      csrf.verify(ctx, field(ctx, '_csrf'));
      const token = single(ctx.query['token']);
      const invitation = await invitations.find(token);
      if (!invitation) return dead(ctx);
      const answer = await passkeys.register(bindingOf(invitation), invitation.account_id, field(ctx, 'credential'));
      if ('problem' in answer) return page(ctx, token, invitation, { passkey_problem: answer.problem });
      const account = await invitations.accept(token, { name: invitations.nameFor(invitation) });
      if (!account || account === 'taken') await passkeys.forget(answer.passkey);
      await answered(ctx, account);
    });
  }

  return routesOf(router);
}
