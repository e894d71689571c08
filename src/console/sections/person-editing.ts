/** Forms about one person: profile, roles, e-mail, password. */
import type { Account } from '../../accounts/account.ts';
import { PASSWORD_MAX } from '../../accounts/password-policy.ts';
import { profileProblems } from '../../accounts/profile.ts';
import type { ProfileValues } from '../../accounts/profile.ts';
import { ADMIN_ROLE, isAdmin, isRole } from '../../accounts/role.ts';
import type { People } from '../../administration/people.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { Desk, Terms, Visit } from '../../visits/visit.ts';
import { keptOf, linesOf, namesOf, showForm, trySaving, typed, valuesOf, versionOf } from '../forms.ts';
import type { Control, FormPage, Group, Values, Wrong } from '../forms.ts';
import { GROUP_CHOICES, ROLE_CHOICES, roleOffers, withOffers } from '../offers.ts';
import type { RoleOfferNeeds } from '../offers.ts';
import { principalOf } from '../place.ts';
import { personAt } from './person-at.ts';

export interface EditingNeeds extends RoleOfferNeeds {
  people: People;
  mailAvailable: boolean;
  passwordMin(): number;
  passwordProblem(password: string, email: string): Promise<string | undefined>;
}

const claim = (name: string, kind: Control['kind'] = 'text', label = name): Control => ({
  name,
  kind,
  label: `portal.profile.field.${label}`,
  optional: true,
});

const CLAIMS = [
  claim('given_name'),
  claim('family_name'),
  claim('nickname'),
  claim('preferred_username', 'text', 'username'),
  claim('gender'),
  claim('birthdate'),
  claim('phone_number', 'text', 'phone'),
  claim('locale'),
  claim('zoneinfo'),
];
const LINKS = [claim('picture', 'url'), claim('website', 'url'), claim('profile', 'url')];

const PROFILE: Group[] = [
  {
    heading: null,
    controls: [
      { name: 'name', kind: 'text', label: 'portal.profile.field.name' },
      { name: 'email_verified', kind: 'tick', label: 'console.field.email_verified', optional: true },
    ],
  },
  { heading: 'console.group.claims', controls: [...CLAIMS, ...LINKS] },
];
const ROLES: Group[] = [
  {
    heading: null,
    controls: [ROLE_CHOICES, GROUP_CHOICES],
  },
];
const EMAIL: Group[] = [
  {
    heading: null,
    controls: [
      { name: 'email', kind: 'email', label: 'console.field.new_email' },
      {
        name: 'confirmed',
        kind: 'tick',
        label: 'console.field.confirmed',
        hint: 'console.hint.confirmed',
        optional: true,
      },
    ],
  },
];
const PASSWORD: Group[] = [
  {
    heading: null,
    controls: [
      {
        name: 'password',
        kind: 'password',
        label: 'console.field.password',
        hint: 'console.hint.password',
        autocomplete: 'new-password',
      },
    ],
  },
];

const profileValues = ({ name, picture, email_verified, claims }: Account): Values => ({
  ...Object.fromEntries([...CLAIMS, ...LINKS].map((one) => [one.name, String(claims[one.name as never] ?? '')])),
  name,
  picture: picture ?? '',
  email_verified: email_verified ? 'yes' : '',
});
const roleValues = ({ roles, groups = [] }: Account): Values => ({
  roles: roles.join('\n'),
  groups: groups.join('\n'),
});

/** In the words of the account page. */
function profileProblem(values: Values): Wrong | undefined {
  const [found] = Object.entries(profileProblems(values as ProfileValues));
  return (
    found && {
      field: found[0],
      key: `portal.profile.problem.${found[1]}`,
      variables: { field: found[0] },
    }
  );
}

type Page = Omit<FormPage, 'values' | 'back'>;

interface Editing {
  path: string;
  terms: Terms;
  groups: Group[];
  title: string;
  lead?: string;
  danger?: boolean;
  current(account: Account): Values;
  /** What the form does. @returns what speaks against it, or the notice that tells of it. */
  save(visit: Visit, account: Account, values: Values, version: number): Promise<Wrong | string>;
}

function editings({ people, mailAvailable, passwordMin, passwordProblem }: EditingNeeds): Editing[] {
  return [
    {
      path: 'edit',
      terms: {},
      groups: PROFILE,
      title: 'console.title.person_edit',
      current: profileValues,
      async save(visit, account, values, version) {
        const problem = profileProblem(values);
        if (problem) return problem;
        const { name, picture, email_verified, ...claims } = values;
        const change = {
          name: name!,
          picture: picture || null,
          email_verified: email_verified === 'yes',
          claims: Object.fromEntries(Object.entries(claims).map(([one, value]) => [one, value || null])),
        };
        await people.edit(principalOf(visit), account.id, change, version);
        return 'person_saved';
      },
    },
    {
      path: 'roles',
      terms: { strong: true },
      groups: ROLES,
      title: 'console.title.person_roles',
      lead: 'console.lead.person_roles',
      current: roleValues,
      async save(visit, account, values, version) {
        const roles = linesOf(values['roles']);
        const bad = roles.find((role) => !isRole(role));
        if (bad !== undefined) return { field: 'roles', key: 'console.problem.role', variables: { role: bad } };
        // Nobody locks themselves out by a slip.
        if (account.id === visit.account.id && isAdmin(account) && !roles.includes(ADMIN_ROLE))
          return { field: 'roles', key: 'console.problem.own_role' };
        await people.edit(principalOf(visit), account.id, { roles, groups: linesOf(values['groups']) }, version);
        return 'person_saved';
      },
    },
    {
      path: 'email',
      terms: { strong: true },
      groups: EMAIL,
      title: 'console.title.person_email',
      lead: 'console.lead.person_email',
      current: ({ email }) => ({ email, confirmed: '' }),
      async save(visit, account, { email = '', confirmed = '' }) {
        if (confirmed !== 'yes' && !mailAvailable) return { field: 'confirmed', key: 'console.problem.no_mail' };
        try {
          await people.changeEmail(principalOf(visit), account.id, email, { confirmed: confirmed === 'yes' });
        } catch (error) {
          if (isGatehouseError(error, 'duplicate')) return { field: 'email', key: 'sign_up.error.email_taken' };
          if (isGatehouseError(error, 'invalid_input')) return { field: 'email', key: 'sign_up.error.email_invalid' };
          throw error;
        }
        return confirmed === 'yes' ? 'email_changed' : 'email_asked';
      },
    },
    {
      path: 'password',
      terms: { strong: true },
      groups: PASSWORD,
      title: 'console.title.person_password',
      lead: 'console.lead.person_password',
      danger: true,
      current: () => ({ password: '' }),
      async save(visit, account) {
        const password = typed(visit.ctx, 'password');
        const weak = await passwordProblem(password, account.email);
        if (weak)
          return {
            field: 'password',
            key: `sign_up.error.password_${weak}`,
            variables: { min: passwordMin(), max: PASSWORD_MAX },
          };
        await people.setPassword(principalOf(visit), account.id, password);
        return 'password_set';
      },
    },
  ];
}

export function addEditing(desk: Desk, needs: EditingNeeds): void {
  const { people } = needs;
  for (const { path, terms, groups, title, lead, danger, current, save } of editings(needs)) {
    const at = `/people/:id/${path}`;
    const show = async (visit: Visit, { id, name }: Account, page: Partial<Page> & { values: Values }) =>
      showForm(desk, visit, {
        title: [title, { name }],
        ...(lead ? { lead } : {}),
        danger: danger ?? false,
        action: desk.url(`/people/${id}/${path}`),
        back: desk.url(`/people/${id}`),
        submit: 'console.submit.save',
        groups: groups === ROLES ? withOffers(groups, await roleOffers(needs)) : groups,
        ...page,
      });

    desk.get(
      at,
      async (visit) => {
        const account = await personAt(people, visit);
        const { version, ...draft } = desk.draft(visit, `/people/${account.id}/${path}`);
        const values = { ...current(account), ...draft };
        await show(visit, account, { values, version: version ? Number(version) : account.version });
      },
      terms,
    );
    desk.post(
      at,
      async (visit) => {
        const account = await personAt(people, visit);
        const values = valuesOf(visit.ctx, groups, current(account));
        const seen = versionOf(visit.ctx);
        const tried = await trySaving(groups, () => save(visit, account, values, seen));
        const shown = Object.fromEntries(
          namesOf(groups).map((name) => [name, name === 'password' ? '' : values[name]!]),
        );
        if ('stale' in tried) {
          const now = await people.get(account.id);
          return show(visit, now, { values: shown, version: now.version, overtaken: current(now) });
        }
        const outcome = 'wrong' in tried ? tried.wrong : tried.saved;
        if (typeof outcome !== 'string') return show(visit, account, { values: shown, version: seen, wrong: outcome });
        desk.done(visit, `/people/${account.id}`, outcome, { name: account.name });
      },
      { ...terms, back: at, keep: keptOf(groups) },
    );
  }
}
