import type { ConsentStore } from '../../consents/store.ts';
import type { Sessions } from '../../oidc/sessions.ts';
import { datesFor } from '../dates.ts';
import type { Section } from '../section.ts';

interface Needs {
  consents: Pick<ConsentStore, 'listByAccount'>;
  sessions: Sessions;
}

/** Where a visit begins: what there is, and what wants attention. */
export function overviewSection({ consents, sessions }: Needs): Section {
  return {
    id: 'overview',
    group: null,
    path: '',
    add(desk) {
      desk.get('', async (visit) => {
        const { account } = visit;
        const [allowed, open] = await Promise.all([consents.listByAccount(account.id), sessions.list(account.id)]);
        await desk.show(visit, 'overview', (_t, { tag }) => ({
          name: account.name,
          email: account.email,
          email_verified: account.email_verified,
          has_password: account.password_hash !== null,
          sessions: open.length,
          apps: allowed.length,
          since: datesFor(tag, account).day(account.created_at),
        }));
      });
    },
  };
}
