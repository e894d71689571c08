/** What can be chosen in forms, of what there is: a form offers it, and keeps what is chosen of which it does not know. */
import type { Apps } from '../administration/apps.ts';
import type { Client } from '../clients/client.ts';
import type { Providers } from '../federation/providers.ts';
import { STANDARD_SCOPES } from '../oidc/claims.ts';
import type { RoleBook } from '../roles/book.ts';
import type { Control, Group, Option } from './forms.ts';

/** By the name of the field. */
export type Offers = Record<string, Option[]>;

export interface AppOfferNeeds {
  apps: Pick<Apps, 'list'>;
  providers: Pick<Providers, 'all'>;
  themes: { all: { name: string }[] };
}

export interface RoleOfferNeeds {
  book: Pick<RoleBook, 'latest'>;
}

/** More are not offered; they can be typed. */
const MOST = 1000;
const PAGE = 200;
/** More than those are typed, with proposals, where one is chosen. */
const MOST_IN_SELECT = 50;

async function allApis({ apps }: Pick<AppOfferNeeds, 'apps'>): Promise<Client[]> {
  const found: Client[] = [];
  let after: string | undefined;
  do {
    const page = await apps.list('api', { after, limit: PAGE });
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined && found.length < MOST);
  return found;
}

function scopesOf(apis: Client[]): Option[] {
  const standard = STANDARD_SCOPES.map((value) => ({ value, usual: true }));
  const theirs = apis.flatMap(({ scope, scope_descriptions = {}, client_name }) =>
    (scope?.split(' ') ?? []).map((value) => ({ value, text: scope_descriptions[value] ?? client_name })),
  );
  const all = new Map([...theirs, ...standard].map((one) => [one.value, one] as const));
  return [...standard, ...[...all.values()].filter(({ value }) => !STANDARD_SCOPES.includes(value))].slice(0, MOST);
}

/** Of the form of an app. */
export async function appOffers({ apps, providers, themes }: AppOfferNeeds): Promise<Offers> {
  const apis = await allApis({ apps });
  const identifiers = apis.map(({ resource, client_name }) => ({ value: resource!, text: client_name }));
  return {
    scope: scopesOf(apis),
    allowed_resources: identifiers,
    default_resource: identifiers,
    identity_providers: providers.all.map(({ name, display_name }) => ({ value: name, text: display_name })),
    theme: themes.all.map(({ name }) => ({ value: name })),
  };
}

const choices = (name: 'roles' | 'groups'): Control => ({
  name,
  kind: 'choices',
  open: true,
  label: `console.field.${name}`,
  hint: `console.hint.${name}`,
  optional: true,
});
export const ROLE_CHOICES = choices('roles');
export const GROUP_CHOICES = choices('groups');

const named = ({ name, description }: { name: string; description: string }): Option => ({
  value: name,
  text: description,
});

/** Of what is about a person, or a group. */
export async function roleOffers({ book }: RoleOfferNeeds): Promise<Offers> {
  const { role, group } = (await book.latest()).records;
  const roles = role.slice(0, MOST).map(named);
  const admin = { value: 'admin', usual: true };
  return {
    roles: [admin, ...roles.filter(({ value }) => value !== admin.value)],
    groups: group.slice(0, MOST).map(named),
  };
}

const NOTHING: Option = { value: '', key: 'console.choices.nothing' };

function offering(control: Control, options: Option[] | undefined): Control {
  if (!options) return control;
  if (control.kind !== 'select') return { ...control, options };
  const short = options.length <= MOST_IN_SELECT;
  return short ? { ...control, options: [NOTHING, ...options] } : { ...control, kind: 'text', options };
}

export const withOffers = (groups: Group[], offers: Offers): Group[] =>
  groups.map(({ heading, controls }) => ({
    heading,
    controls: controls.map((control) => offering(control, offers[control.name])),
  }));
