/** The page behind the one-time link that makes an admin. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { PASSWORD_MAX } from '../accounts/password-policy.ts';
import type { Admins } from '../administration/admins.ts';
import { field, readForm } from '../http/body.ts';
import type { Csrf } from '../http/csrf.ts';
import type { Render } from '../http/render.ts';
import { routesOf } from '../http/routing.ts';
import type { CurrentCaller } from '../kernel/caller.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import { issuerPath } from '../kernel/urls.ts';
import type { Limits } from '../limits/limits.ts';

interface Needs {
  issuer: string;
  admins: Pick<Admins, 'isGood' | 'redeem'>;
  passwordMin(): number;
  passwordProblem(password: string, email: string): Promise<string | undefined>;
  /** What there is to go on to. */
  doors: { account: boolean; api: boolean; console: boolean };
  limits: Pick<Limits, 'guess'>;
  caller: CurrentCaller;
  csrf: Csrf;
  render: Render;
}

/** What is wrong, in the words of the sign-up page. */
interface Wrong {
  field: string;
  key: string;
}

const wrong = (field: string, key: string): Wrong => ({ field, key: `sign_up.error.${key}` });

const FIELDS = ['email', 'name', 'password'] as const;

/** To be mounted at `<issuer path>/admin/first`. */
export function firstAdminRoutes({
  issuer,
  admins,
  passwordMin,
  passwordProblem,
  doors,
  limits,
  caller,
  csrf,
  render,
}: Needs): Middleware {
  const base = issuerPath(issuer);
  const router = new Router();
  // In the query and the form, never in the path: that is what the log tells of a request.
  const linkOf = ({ query }: Context) => (typeof query['link'] === 'string' ? query['link'] : '');

  const gone = (ctx: Context) =>
    render(ctx, 'admin/first-gone', {}, { title: ['admin.first.gone_title'], status: 404 });

  /** Wrong links are counted like all that can be guessed. */
  async function isGood(token: string): Promise<boolean> {
    const address = caller()?.address ?? 'unknown';
    const good = await limits.guess('link', { address }, async () => ((await admins.isGood(token)) ? true : undefined));
    return good === true;
  }

  const show = (ctx: Context, page: { link: string; values: Record<string, string>; problem?: Wrong }, status = 200) =>
    render(
      ctx,
      'admin/first',
      {
        action: `${base}/admin/first`,
        problem: null,
        password_min: passwordMin(),
        password_max: PASSWORD_MAX,
        ...page,
      },
      { title: ['admin.first.title'], status },
    );

  router.get('/', async (ctx) => {
    ctx.set('Referrer-Policy', 'no-referrer');
    const link = linkOf(ctx);
    if (!(await isGood(link))) return gone(ctx);
    return show(ctx, { link, values: {} });
  });

  router.post('/', readForm(), async (ctx) => {
    csrf.verify(ctx, field(ctx, '_csrf'));
    const [email, name, password] = FIELDS.map((one) => field(ctx, one)) as [string, string, string];
    const link = field(ctx, 'link');
    if (!(await isGood(link))) return gone(ctx);
    const weak = await passwordProblem(password, email);
    if (weak) return show(ctx, { link, values: { email, name }, problem: wrong('password', `password_${weak}`) }, 400);
    try {
      await admins.redeem(link, { email, name, password });
    } catch (error) {
      if (isGatehouseError(error, 'not_found')) return gone(ctx);
      if (!isGatehouseError(error, 'invalid_input') && !isGatehouseError(error, 'duplicate')) throw error;
      const problem =
        error.code === 'duplicate'
          ? wrong('email', 'email_taken')
          : error.field === 'email'
            ? wrong('email', 'email_invalid')
            : wrong('name', name.trim() === '' ? 'name_missing' : 'name_long');
      return show(ctx, { link, values: { email, name }, problem }, error.status);
    }
    return render(
      ctx,
      'admin/first-done',
      {
        console_url: doors.console ? `${base}/admin` : null,
        account_url: doors.account ? `${base}/account` : null,
        documentation_url: doors.api ? `${base}/admin/api` : null,
      },
      { title: ['admin.first.done_title'] },
    );
  });
  return routesOf(router);
}
