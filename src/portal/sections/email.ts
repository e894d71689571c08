import { isEmailAddress, normalizeEmail } from '../../accounts/email.ts';
import type { Audit } from '../../audit/audit.ts';
import { field } from '../../http/body.ts';
import type { Csrf } from '../../http/csrf.ts';
import type { Locales } from '../../http/locale.ts';
import type { CurrentCaller } from '../../kernel/caller.ts';
import { isGatehouseError, minutes } from '../../kernel/errors.ts';
import type { Limits } from '../../limits/limits.ts';
import type { Mailer } from '../../mail/mailer.ts';
import type { Verification } from '../../verification/verification.ts';
import type { Desk, Section, Visit } from '../section.ts';

interface Needs {
  verification: Pick<Verification, 'emailChanges' | 'confirmations'>;
  mailer: Pick<Mailer, 'available'>;
  limits: Pick<Limits, 'spend'>;
  caller: CurrentCaller;
  locales: Pick<Locales, 'choose'>;
  audit: Pick<Audit, 'record'>;
  /** Tells one browser from another. */
  csrf: Pick<Csrf, 'token'>;
  brandName: () => string;
}

interface Problem {
  key: 'invalid' | 'same' | 'limited';
  count?: number;
}

/** The address under which the person is found, and mailed to. */
export function emailSection(needs: Needs): Section {
  const { verification, mailer, limits, caller, locales, audit, csrf, brandName } = needs;
  const { emailChanges, confirmations } = verification;
  const langOf = ({ ctx }: Visit) => locales.choose(ctx).lang;

  async function show(desk: Desk, visit: Visit, email = '', problem?: Problem): Promise<void> {
    const page = {
      email: visit.account.email,
      verified: visit.account.email_verified,
      can_mail: mailer.available,
      value: email,
      problem: problem ?? null,
      action: desk.url('/email'),
      verify_action: desk.url('/email/verify'),
    };
    await desk.show(visit, 'email', page, { status: problem ? (problem.key === 'limited' ? 429 : 400) : 200 });
  }

  /** @returns the minutes to wait, where too much was asked for. */
  async function mayMail({ account }: Visit): Promise<number | undefined> {
    try {
      await limits.spend('mail', { account: account.email, address: caller()?.address ?? 'unknown' });
      return undefined;
    } catch (error) {
      if (isGatehouseError(error, 'limited')) return minutes(error);
      throw error;
    }
  }

  async function change(desk: Desk, visit: Visit): Promise<void> {
    const email = field(visit.ctx, 'new_email').trim();
    if (!isEmailAddress(email)) return show(desk, visit, email, { key: 'invalid' });
    if (normalizeEmail(email) === visit.account.email_normalized) return show(desk, visit, email, { key: 'same' });
    const count = await mayMail(visit);
    if (count !== undefined) return show(desk, visit, email, { key: 'limited', count });
    await emailChanges.request(visit.account, email, langOf(visit));
    await audit.record('email_change_asked', visit.account.id);
    return desk.done(visit, '/email', 'email_asked', { email });
  }

  return {
    id: 'email',
    group: 'you',
    path: '/email',
    add(desk) {
      desk.get('/email', async (visit) => show(desk, visit, desk.draft(visit, '/email')['new_email']));
      if (!mailer.available) return;
      desk.post('/email', (visit) => change(desk, visit), { fresh: true, keep: ['new_email'] });
      desk.post('/email/verify', async (visit) => {
        const count = await mayMail(visit);
        if (count !== undefined) return show(desk, visit, '', { key: 'limited', count });
        const request = { locale: langOf(visit), app: brandName(), browser: csrf.token(visit.ctx) };
        if (!visit.account.email_verified) await confirmations.mailLater(visit.account, request);
        return desk.done(visit, '/email', 'verification_sent', { email: visit.account.email });
      });
    },
  };
}
