/** Roles and groups: records with a name, found, made and changed alike. */
import type { NamedRecords } from '../../administration/named-records.ts';
import type { Groups, Roles } from '../../administration/roles.ts';
import type { Group as GroupRecord, Role } from '../../roles/role.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import { showConfirmation } from '../confirm.ts';
import { keptOf, linesOf, showForm, trySaving, valuesOf, versionOf } from '../forms.ts';
import type { Control, FormPage, Group, Values } from '../forms.ts';
import { asked, pageOf, pagesOf } from '../lists.ts';
import { roleOffers, withOffers } from '../offers.ts';
import type { Offers, RoleOfferNeeds } from '../offers.ts';
import { principalOf } from '../place.ts';

interface Shelf<K extends 'role' | 'group'> {
  kind: K;
  /** Its first page, and what is said on it: `console.<id>`. */
  id: 'roles' | 'groups';
  carries: 'permissions' | 'roles';
  records: NamedRecords<K>;
  /** What its forms offer. */
  offers(): Promise<Offers>;
}

const controlOf = ({ carries, kind }: Pick<Shelf<'role' | 'group'>, 'carries' | 'kind'>): Control => ({
  name: carries,
  kind: carries === 'roles' ? 'choices' : 'lines',
  open: true,
  label: `console.field.${carries}`,
  hint: `console.hint.${carries}_of_${kind}`,
  optional: true,
});

const groupsOf = (shelf: Pick<Shelf<'role' | 'group'>, 'carries' | 'kind'>): Group[] => [
  {
    heading: null,
    controls: [
      { name: 'name', kind: 'text', label: 'console.field.role_name', hint: 'console.hint.role_name' },
      { name: 'description', kind: 'text', label: 'console.field.description', optional: true },
      controlOf(shelf),
    ],
  },
];

function section<K extends 'role' | 'group'>(shelf: Shelf<K>): Section {
  const { id, kind, carries, records } = shelf;
  const groups = groupsOf(shelf);
  const keep = keptOf(groups);
  const offered = async () => withOffers(groups, await shelf.offers());
  const path = (name: string, more = '') => `/${id}/${encodeURIComponent(name)}${more}`;
  const carried = (record: Role | GroupRecord): string[] =>
    'permissions' in record ? record.permissions : record.roles;
  const valuesFrom = (record: Role | GroupRecord): Values => ({
    name: record.name,
    description: record.description,
    [carries]: carried(record).join('\n'),
  });
  const inputOf = (values: Values) =>
    ({ name: values['name'], description: values['description'], [carries]: linesOf(values[carries]) }) as never;
  const recordAt = (visit: Visit) => records.get(parameterOf(visit, kind));

  async function list(desk: Desk, visit: Visit): Promise<void> {
    const filters = { search: asked(visit.ctx, 'search') };
    const { items, next } = await pageOf(visit.ctx, (page) => records.list({ text: filters.search, ...page }));
    await desk.show(
      visit,
      'named',
      {
        shelf: id,
        kind,
        records: items.map((record) => ({
          name: record.name,
          description: record.description,
          carried: carried(record),
          url: desk.url(path(record.name)),
          people_url: `${desk.url('/people')}?${kind}=${encodeURIComponent(record.name)}`,
          remove_url: desk.url(path(record.name, '/delete')),
        })),
        filters,
        filtered: filters.search !== '',
        action: desk.url(`/${id}`),
        new_url: desk.url(`/${id}/new`),
        ...pagesOf(visit.ctx, desk.url(`/${id}`), filters, next),
      },
      { title: [`console.${id}.title`] },
    );
  }

  const showNew = async (desk: Desk, visit: Visit, page: Partial<FormPage> & { values: Values }) =>
    showForm(desk, visit, {
      title: [`console.${id}.new`],
      action: desk.url(`/${id}/new`),
      back: desk.url(`/${id}`),
      submit: `console.${id}.make`,
      groups: await offered(),
      ...page,
    });
  const showEdit = async (desk: Desk, visit: Visit, name: string, page: Partial<FormPage> & { values: Values }) =>
    showForm(desk, visit, {
      title: ['console.title.client_edit', { name }],
      action: desk.url(path(name)),
      back: desk.url(`/${id}`),
      submit: 'console.submit.save',
      groups: await offered(),
      ...page,
    });

  return {
    id,
    group: 'people',
    path: `/${id}`,
    add(desk) {
      desk.get(`/${id}`, (visit) => list(desk, visit));
      desk.get(`/${id}/new`, (visit) => showNew(desk, visit, { values: desk.draft(visit, `/${id}/new`) }), {
        strong: true,
      });
      desk.post(
        `/${id}/new`,
        async (visit) => {
          const values = valuesOf(visit.ctx, groups);
          const tried = await trySaving(groups, () => records.create(principalOf(visit), inputOf(values)));
          if ('saved' in tried) return desk.done(visit, `/${id}`, 'registered', { name: tried.saved.name });
          await showNew(desk, visit, { values, wrong: 'wrong' in tried ? tried.wrong : undefined });
        },
        { strong: true, back: `/${id}/new`, keep },
      );
      const at = `/${id}/:${kind}`;
      desk.get(
        at,
        async (visit) => {
          const record = await recordAt(visit);
          const { version, ...draft } = desk.draft(visit, path(record.name));
          const values = { ...valuesFrom(record), ...draft };
          await showEdit(desk, visit, record.name, { values, version: version ? Number(version) : record.version });
        },
        { strong: true },
      );
      desk.post(
        at,
        async (visit) => {
          const record = await recordAt(visit);
          const { name } = record;
          const values = valuesOf(visit.ctx, groups, valuesFrom(record));
          const version = versionOf(visit.ctx);
          const tried = await trySaving(groups, () =>
            records.update(principalOf(visit), name, inputOf(values), version),
          );
          if ('saved' in tried) return desk.done(visit, `/${id}`, 'client_saved', { name: tried.saved.name });
          if ('wrong' in tried) return showEdit(desk, visit, name, { values, version, wrong: tried.wrong });
          const now = await records.get(name);
          await showEdit(desk, visit, name, { values, version: now.version, overtaken: valuesFrom(now) });
        },
        { strong: true, back: at, keep },
      );
      desk.get(
        `${at}/delete`,
        async (visit) => {
          const { name, description } = await recordAt(visit);
          await showConfirmation(desk, visit, {
            id: `${id}_delete`,
            name,
            detail: description,
            action: desk.url(path(name, '/delete')),
            back: desk.url(`/${id}`),
            danger: true,
          });
        },
        { strong: true },
      );
      desk.post(
        `${at}/delete`,
        async (visit) => {
          const { name } = await recordAt(visit);
          await records.remove(principalOf(visit), name);
          desk.done(visit, `/${id}`, 'client_deleted', { name });
        },
        { strong: true, back: `${at}/delete` },
      );
    },
  };
}

export const rolesSection = ({ roles }: { roles: Roles }): Section =>
  section({ kind: 'role', id: 'roles', carries: 'permissions', records: roles, offers: async () => ({}) });

export const groupsSection = ({ groups, book }: { groups: Groups } & RoleOfferNeeds): Section =>
  section({ kind: 'group', id: 'groups', carries: 'roles', records: groups, offers: () => roleOffers({ book }) });
