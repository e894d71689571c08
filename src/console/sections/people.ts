import type { Account } from '../../accounts/account.ts';
import { initials } from '../../accounts/account.ts';
import { PASSWORD_MAX } from '../../accounts/password-policy.ts';
import type { People } from '../../administration/people.ts';
import { datesIn } from '../../kernel/dates.ts';
import { isGatehouseError } from '../../kernel/errors.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import { showForm, trySaving, typed, valuesOf } from '../forms.ts';
import type { Group, Values, Wrong } from '../forms.ts';
import { asked, oneOf, pageOf, pagesOf } from '../lists.ts';
import { principalOf } from '../place.ts';
import { addInvitations } from './invitations.ts';
import type { InvitationNeeds } from './invitations.ts';
import { addBulk } from './people-bulk.ts';
import { addMoving, MOVING } from './people-moving.ts';
import type { MovingNeeds } from './people-moving.ts';
import { addPerson } from './person.ts';
import type { PersonNeeds } from './person.ts';

const STATES = ['active', 'suspended', 'deleting'] as const;

export interface PeopleNeeds extends PersonNeeds, InvitationNeeds, MovingNeeds {
  people: People;
  /** Speaks against a password that somebody is to have. */
  passwordMin(): number;
  passwordProblem(password: string, email: string): Promise<string | undefined>;
}

const NEW: Group[] = [
  {
    heading: null,
    controls: [
      { name: 'name', kind: 'text', label: 'portal.profile.field.name' },
      { name: 'email', kind: 'email', label: 'console.field.email' },
      { name: 'email_verified', kind: 'tick', label: 'console.field.email_verified', optional: true },
      {
        name: 'password',
        kind: 'password',
        label: 'console.field.password',
        hint: 'console.hint.new_password',
        optional: true,
        autocomplete: 'new-password',
      },
    ],
  },
];

async function list(desk: Desk, visit: Visit, { people }: PeopleNeeds): Promise<void> {
  const { ctx } = visit;
  const filters = {
    search: asked(ctx, 'search'),
    state: asked(ctx, 'state'),
    role: asked(ctx, 'role'),
    group: asked(ctx, 'group'),
  };
  const search = {
    text: filters.search,
    state: oneOf(filters.state, STATES),
    role: filters.role === '' ? undefined : filters.role,
    group: filters.group === '' ? undefined : filters.group,
  };
  const { items, next } = await pageOf(ctx, (page) => people.search({ ...search, ...page }));
  await desk.show(visit, 'people', (_t, { tag }) => {
    const dates = datesIn(tag, visit.account.claims.zoneinfo);
    return {
      people: items.map(({ id, name, email, email_verified, roles, state, last_sign_in_at }: Account) => ({
        id,
        name,
        email,
        email_verified,
        roles,
        state,
        initials: initials(name),
        last_sign_in: last_sign_in_at === null ? null : dates.moment(last_sign_in_at),
        url: desk.url(`/people/${id}`),
      })),
      filters,
      live: true,
      states: STATES,
      filtered: Object.values(filters).some((value) => value !== ''),
      action: desk.url('/people'),
      bulk_url: desk.url('/people/selected'),
      new_url: desk.url('/people/new'),
      invite_url: desk.url('/people/invite'),
      invitations_url: desk.url('/people/invitations'),
      moving_url: desk.url(MOVING),
      ...pagesOf(ctx, desk.url('/people'), filters, next),
    };
  });
}

/** In the words of the sign-up page. */
const inWords = (field: string, problem: string, variables: Wrong['variables'] = {}): Wrong => ({
  field,
  key: `sign_up.error.${problem}`,
  variables,
});

async function create(desk: Desk, visit: Visit, { people, passwordMin, passwordProblem }: PeopleNeeds): Promise<void> {
  const values = valuesOf(visit.ctx, NEW);
  const password = typed(visit.ctx, 'password');
  const again = (wrong: Wrong) => showNew(desk, visit, values, wrong);
  const weak = password === '' ? undefined : await passwordProblem(password, values['email']!);
  if (weak) return again(inWords('password', `password_${weak}`, { min: passwordMin(), max: PASSWORD_MAX }));
  const { name = '', email = '' } = values;
  const tried = await trySaving(NEW, async () => {
    try {
      return await people.create(principalOf(visit), {
        name,
        email,
        email_verified: values['email_verified'] === 'yes',
        ...(password === '' ? {} : { password }),
      });
    } catch (error) {
      if (isGatehouseError(error, 'duplicate')) return inWords('email', 'email_taken');
      if (!isGatehouseError(error, 'invalid_input')) throw error;
      if (error.field === 'email') return inWords('email', 'email_invalid');
      if (error.field === 'name') return inWords('name', name === '' ? 'name_missing' : 'name_long');
      throw error;
    }
  });
  if ('stale' in tried) throw new Error('a new record cannot be stale');
  if ('wrong' in tried) return again(tried.wrong);
  if ('field' in tried.saved) return again(tried.saved);
  desk.done(visit, `/people/${tried.saved.id}`, 'person_created', { name: tried.saved.name });
}

const showNew = (desk: Desk, visit: Visit, values: Values, wrong?: Wrong) =>
  showForm(desk, visit, {
    title: ['console.title.person_new'],
    lead: 'console.lead.person_new',
    action: desk.url('/people/new'),
    back: desk.url('/people'),
    submit: 'console.submit.create',
    groups: NEW,
    values: { ...values, password: '' },
    wrong,
  });

/** Those who sign in: found, created, and each on a page of their own. */
export function peopleSection(needs: PeopleNeeds): Section {
  return {
    id: 'people',
    group: 'people',
    path: '/people',
    add(desk) {
      desk.get('/people', (visit) => list(desk, visit, needs));
      desk.get('/people/new', (visit) => showNew(desk, visit, { email_verified: '' }));
      desk.post('/people/new', (visit) => create(desk, visit, needs), { back: '/people/new' });
      addInvitations(desk, needs);
      addMoving(desk, needs);
      addBulk(desk, needs);
      addPerson(desk, needs);
    },
  };
}
