import type { ConsentStore } from '../../consents/store.ts';
import type { Factors } from '../../factors/factors.ts';
import type { Passkeys } from '../../factors/passkeys.ts';
import { FEW_CODES } from '../../factors/recovery-codes.ts';
import type { Sessions } from '../../oidc/sessions.ts';
import { datesFor } from '../dates.ts';
import type { Section } from '../section.ts';

interface Needs {
  passkeys: Pick<Passkeys, 'list'> | undefined;
  factors: Pick<Factors, 'of'>;
  /** Second factors are on. */
  hasFactors(): boolean;
  consents: Pick<ConsentStore, 'listByAccount'>;
  sessions: Sessions;
}

/** Where a visit begins: what there is, and what wants attention. */
export function overviewSection({ consents, sessions, passkeys, factors, hasFactors }: Needs): Section {
  return {
    id: 'overview',
    group: null,
    path: '',
    add(desk) {
      desk.get('', async (visit) => {
        const { account } = visit;
        const [allowed, open, has] = await Promise.all([
          consents.listByAccount(account.id),
          sessions.list(account.id),
          factors.of(account.id),
        ]);
        const { recovery_codes_left: left } = has;
        const second_step = has.totp || has.passkeys > 0;
        await desk.show(visit, 'overview', (_t, { tag }) => ({
          name: account.name,
          email: account.email,
          email_verified: account.email_verified,
          has_password: account.password_hash !== null,
          passkeys: passkeys ? has.passkeys : null,
          factors: hasFactors() ? { on: has.totp, codes: second_step ? left : null, few: left <= FEW_CODES } : null,
          sessions: open.length,
          apps: allowed.length,
          since: datesFor(tag, account).day(account.created_at),
        }));
      });
    },
  };
}
