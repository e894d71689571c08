import type { Audit } from '../../audit/audit.ts';
import type { PersonalData } from '../../oidc/personal-data.ts';
import type { Section } from '../section.ts';

interface Needs {
  audit: Pick<Audit, 'record'>;
  personalData: (accountId: string) => Promise<PersonalData>;
}

/** Everything that is stored about the person, as a file. */
export function dataSection({ audit, personalData }: Needs): Section {
  return {
    id: 'download',
    group: 'data',
    path: '/download',
    add(desk) {
      desk.get('/download', (visit) => desk.show(visit, 'download', { action: desk.url('/download') }), {
        fresh: true,
      });
      desk.post(
        '/download',
        async ({ ctx, account }) => {
          await audit.record('data_downloaded', account.id);
          const data = await personalData(account.id);
          ctx.set('Cache-Control', 'no-store');
          ctx.attachment('account.json');
          ctx.type = 'application/json';
          ctx.body = `${JSON.stringify(data, null, 2)}\n`;
        },
        { fresh: true },
      );
    },
  };
}
