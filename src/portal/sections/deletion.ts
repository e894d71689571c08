import { isLastAdmin } from '../../accounts/last-admin.ts';
import type { Locales } from '../../http/locale.ts';
import type { Mailer } from '../../mail/mailer.ts';
import type { Access } from '../../oidc/access.ts';
import { datesFor } from '../dates.ts';
import type { Section } from '../section.ts';

interface Needs {
  access: Pick<Access, 'leave'>;
  mailer: Mailer;
  locales: Pick<Locales, 'choose'>;
  /** Seconds in which the person may still keep the account. */
  deleteAfter: number;
  issuer: string;
}

const MS = 1000;

/** The end of the account: at once nobody can use it, and after a while it is gone. */
export function deletionSection({ access, mailer, locales, deleteAfter, issuer }: Needs): Section {
  const eraseAt = () => new Date(Date.now() + deleteAfter * MS).toISOString();

  return {
    id: 'delete',
    group: 'data',
    path: '/delete',
    add(desk) {
      desk.get(
        '/delete',
        (visit) =>
          desk.show(visit, 'delete', (_t, { tag }) => ({
            action: desk.url('/delete'),
            erase_on: datesFor(tag, visit.account).day(eraseAt()),
          })),
        { fresh: true },
      );
      desk.post(
        '/delete',
        async (visit) => {
          const { ctx, account } = visit;
          const at = eraseAt();
          try {
            await access.leave(account.id, at);
          } catch (error) {
            if (!isLastAdmin(error)) throw error;
            return desk.done(visit, '/delete', 'last_admin');
          }
          const { lang } = locales.choose(ctx);
          if (mailer.available) {
            const data = { name: account.name, time: Math.floor(Date.parse(at) / MS), url: `${issuer}/account` };
            await mailer.send({ to: account.email, template: 'account-deletion', locale: lang, data });
          }
          desk.leave(visit, 'deleted');
        },
        { fresh: true },
      );
    },
  };
}
