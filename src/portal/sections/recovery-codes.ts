import type { Factors } from '../../factors/factors.ts';
import { FEW_CODES } from '../../factors/recovery-codes.ts';
import { field } from '../../http/body.ts';
import { datesFor } from '../dates.ts';
import type { Desk, Section, Visit } from '../section.ts';

interface Needs {
  factors: Pick<Factors, 'details' | 'replaceRecoveryCodes'>;
  /** Second factors are on. */
  hasFactors(): boolean;
}

/** Recovery codes: how many there still are, and new ones, which are shown once. */
export function recoveryCodesSection({ factors, hasFactors }: Needs): Section {
  async function show(desk: Desk, visit: Visit, made = false): Promise<void> {
    const found = await factors.details(visit.account.id);
    const { recovery_codes_left: left, recovery_codes_since: since } = found;
    await desk.show(visit, 'recovery-codes', (_t, { lang }) => ({
      codes: since === null ? null : { left, few: left <= FEW_CODES, since: datesFor(lang, visit.account).day(since) },
      since: since ?? '',
      made,
      has_factor: found.totp || found.passkeys > 0,
      action: desk.url('/recovery-codes'),
    }));
  }

  async function renew(desk: Desk, visit: Visit): Promise<void> {
    const { totp, passkeys } = await factors.details(visit.account.id);
    // They stand in for a factor; without one there is nothing to stand in for.
    if (!totp && passkeys === 0) return show(desk, visit);
    const codes = await factors.replaceRecoveryCodes(visit.account.id, field(visit.ctx, 'since') || null);
    // The page that showed them was loaded anew, or the button pressed twice: another set would make the first one useless.
    if (!codes) return show(desk, visit, true);
    return desk.show(visit, 'recovery-codes-new', {
      codes,
      account: visit.account.email,
      added: false,
      done_url: desk.url('/recovery-codes'),
    });
  }

  return {
    id: 'recovery_codes',
    group: 'sign_in',
    path: '/recovery-codes',
    hidden: () => !hasFactors(),
    add(desk) {
      desk.get('/recovery-codes', (visit) => show(desk, visit));
      desk.post('/recovery-codes', (visit) => renew(desk, visit), { strong: true });
    },
  };
}
