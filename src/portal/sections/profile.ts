import type { Accounts } from '../../accounts/accounts.ts';
import { normalizeName, PROFILE_FIELDS, profileOf, profileProblems } from '../../accounts/profile.ts';
import type { ProfileField, ProfileProblem, ProfileValues } from '../../accounts/profile.ts';
import type { Audit } from '../../audit/audit.ts';
import { field } from '../../http/body.ts';
import type { Desk, Section, Visit } from '../section.ts';

interface Needs {
  accounts: Pick<Accounts, 'setProfile'>;
  audit: Pick<Audit, 'record'>;
}

const zones = Intl.supportedValuesOf('timeZone');

const read = ({ ctx }: Visit): ProfileValues =>
  Object.fromEntries(PROFILE_FIELDS.map((name) => [name, normalizeName(field(ctx, name))])) as ProfileValues;

async function show(
  desk: Desk,
  visit: Visit,
  values: ProfileValues,
  problems: Partial<Record<ProfileField, ProfileProblem>> = {},
): Promise<void> {
  const { claims } = visit.account;
  await desk.show(
    visit,
    'profile',
    {
      action: desk.url('/profile'),
      values,
      problems,
      zones: values.zoneinfo === '' || zones.includes(values.zoneinfo) ? zones : [values.zoneinfo, ...zones],
      given: {
        username: claims.preferred_username ?? null,
        phone: claims.phone_number ?? null,
        address: claims.address?.['formatted'] ?? null,
      },
    },
    { status: Object.keys(problems).length > 0 ? 400 : 200 },
  );
}

/** What apps learn by the scope `profile`. */
export function profileSection({ accounts, audit }: Needs): Section {
  return {
    id: 'profile',
    group: 'you',
    path: '/profile',
    add(desk) {
      desk.get('/profile', (visit) => show(desk, visit, profileOf(visit.account)));
      desk.post('/profile', async (visit) => {
        const values = read(visit);
        const problems = profileProblems(values);
        if (Object.keys(problems).length > 0) return show(desk, visit, values, problems);
        await accounts.setProfile(visit.account.id, values);
        await audit.record('profile_changed', visit.account.id);
        desk.done(visit, '/profile', 'profile_saved');
      });
    },
  };
}
