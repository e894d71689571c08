import type { Accounts } from '../../accounts/accounts.ts';
import { PASSWORD_MAX } from '../../accounts/password-policy.ts';
import { field } from '../../http/body.ts';
import type { Locales } from '../../http/locale.ts';
import type { CurrentCaller } from '../../kernel/caller.ts';
import { isGatehouseError, minutes } from '../../kernel/errors.ts';
import type { Limits } from '../../limits/limits.ts';
import type { Access } from '../../oidc/access.ts';
import type { Notices } from '../../verification/notices.ts';
import type { Desk, Section, Visit } from '../section.ts';

interface Needs {
  accounts: Pick<Accounts, 'authenticate' | 'passwordMin' | 'passwordProblem'>;
  access: Pick<Access, 'setPassword'>;
  limits: Pick<Limits, 'guess'>;
  caller: CurrentCaller;
  notices: Pick<Notices, 'passwordChanged'>;
  locales: Pick<Locales, 'choose'>;
}

interface Problem {
  field: 'current' | 'password';
  key: string;
  count?: number;
  status: number;
}

/** The password: changed with the one before, set where there is none. */
export function passwordSection({ accounts, access, limits, caller, notices, locales }: Needs): Section {
  const show = (desk: Desk, visit: Visit, problem?: Problem) =>
    desk.show(
      visit,
      'password',
      {
        email: visit.account.email,
        has_password: visit.account.password_hash !== null,
        action: desk.url('/password'),
        problem: problem ?? null,
        password_min: accounts.passwordMin(),
        password_max: PASSWORD_MAX,
      },
      { status: problem?.status ?? 200 },
    );

  async function currentProblem({ ctx, account }: Visit): Promise<Problem | undefined> {
    const about = { field: 'current' } as const;
    const current = field(ctx, 'current');
    if (current === '' || current.length > PASSWORD_MAX) return { ...about, key: 'wrong', status: 400 };
    try {
      const keys = { account: account.email, address: caller()?.address ?? 'unknown' };
      const proved = await limits.guess('password', keys, () => accounts.authenticate(account.email, current));
      return proved?.id === account.id ? undefined : { ...about, key: 'wrong', status: 400 };
    } catch (error) {
      if (isGatehouseError(error, 'limited')) return { ...about, key: 'limited', count: minutes(error), status: 429 };
      if (isGatehouseError(error, 'busy')) return { ...about, key: 'busy', status: 503 };
      throw error;
    }
  }

  async function change(desk: Desk, visit: Visit): Promise<void> {
    const { ctx, account, session } = visit;
    const wrong = account.password_hash === null ? undefined : await currentProblem(visit);
    if (wrong) return show(desk, visit, wrong);
    const password = field(ctx, 'password');
    const weak = await accounts.passwordProblem(password, account.email);
    if (weak) return show(desk, visit, { field: 'password', key: weak, status: 400 });
    const changed = await access.setPassword(account.id, password, { keepSession: session.uid });
    await notices.passwordChanged(changed, locales.choose(ctx).lang);
    return desk.done(visit, '/password', 'password_saved');
  }

  return {
    id: 'password',
    group: 'sign_in',
    path: '/password',
    add(desk) {
      desk.get('/password', (visit) => show(desk, visit), { fresh: true });
      desk.post('/password', (visit) => change(desk, visit), { fresh: true });
    },
  };
}
