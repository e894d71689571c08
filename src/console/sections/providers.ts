/** Upstream providers: those of the configuration to be seen, those that admins add to be changed. */
import type { Upstreams } from '../../administration/upstreams.ts';
import { PROVIDER_TYPES } from '../../config/federation.ts';
import type { KnownProvider, NewProvider } from '../../federation/records.ts';
import { datesIn } from '../../kernel/dates.ts';
import { parameterOf } from '../../visits/visit.ts';
import type { Desk, Section, Visit } from '../../visits/visit.ts';
import { showConfirmation } from '../confirm.ts';
import { keptOf, showForm, trySaving, typed, valuesOf, versionOf } from '../forms.ts';
import type { FormPage, Group, Values } from '../forms.ts';
import { principalOf } from '../place.ts';
import { providerGroups, providerValues, shownText, toProviderChange } from '../provider-form.ts';
import type { ProviderType } from '../provider-form.ts';

interface Needs {
  upstreams: Upstreams;
}

const HERE = '/providers';
const AT = `${HERE}/:id`;
/** No provider can be called this: names are small letters. */
const NEW = `${HERE}/NEW`;

const typeOf = ({ settings }: KnownProvider) => shownText(settings['type']) as ProviderType;
/** As they call themselves. */
const BRANDS: Record<ProviderType, string> = {
  oidc: 'OpenID Connect',
  google: 'Google',
  github: 'GitHub',
  microsoft: 'Microsoft',
  apple: 'Apple',
};
/** Facts that have a word of their own. The others are named as in the configuration. */
const WORDED = new Set(
  'redirect_uri client_id issuer scopes trust_email create_accounts trust_amr hosted_domain tenant allowed_tenants team_id key_id refresh'.split(
    ' ',
  ),
);
const titleOf = ({ name, settings }: KnownProvider) => shownText(settings['display_name'] ?? name);
/** A key of several lines is a secret too, though its field shows it. */
const keptWithoutSecrets = (groups: Group[]) => keptOf(groups).filter((name) => name !== 'private_key');

/** As typed, with the lines of a key as they are. */
const valuesTyped = ({ ctx }: Visit, groups: Group[], current?: Values): Values => ({
  ...valuesOf(ctx, groups, current),
  client_secret: typed(ctx, 'client_secret'),
});
const withoutSecrets = (values: Values): Values => ({ ...values, client_secret: '', private_key: '' });

export function providersSection({ upstreams }: Needs): Section {
  return {
    id: 'providers',
    group: 'system',
    path: HERE,
    add(desk) {
      desk.get(HERE, async (visit) => {
        const all = await upstreams.list();
        await desk.show(visit, 'providers', {
          providers: all.map((one) => ({
            name: titleOf(one),
            id: one.name,
            type: BRANDS[typeOf(one)],
            source: one.source,
            enabled: one.enabled,
            about: shownText(one.settings['issuer']),
            url: desk.url(`${HERE}/${one.name}`),
          })),
          types: PROVIDER_TYPES.map((type) => ({ name: BRANDS[type], url: desk.url(`${NEW}/${type}`) })),
        });
      });
      for (const type of PROVIDER_TYPES) addAdding(desk, upstreams, type);
      addOne(desk, upstreams);
      addActs(desk, upstreams);
    },
  };
}

function addAdding(desk: Desk, upstreams: Upstreams, type: ProviderType): void {
  const groups = providerGroups(type, false);
  const at = `${NEW}/${type}`;
  const proposed: Values = type === 'oidc' ? {} : { provider_name: type };
  const show = (visit: Visit, page: Partial<FormPage> & { values: Values }) =>
    showForm(desk, visit, {
      title: [
        'console.title.provider_new',
        { name: BRANDS[type], redirect_uri: upstreams.callbackOf(proposed['provider_name'] ?? '…') },
      ],
      lead: 'console.lead.provider_new',
      action: desk.url(at),
      back: desk.url(HERE),
      submit: 'console.submit.add',
      groups,
      ...page,
    });
  desk.get(at, (visit) => show(visit, { values: { ...proposed, ...desk.draft(visit, at) } }), { strong: true });
  desk.post(
    at,
    async (visit) => {
      const values = valuesTyped(visit, groups);
      const change = Object.entries(toProviderChange(values, groups)).filter(([, value]) => value !== null);
      const name = values['provider_name'] ?? '';
      const input: NewProvider = { ...Object.fromEntries(change), name, type };
      const tried = await trySaving(groups, () => upstreams.create(principalOf(visit), input));
      if ('stale' in tried) throw new Error('a new record cannot be stale');
      if ('wrong' in tried) return show(visit, { values: withoutSecrets(values), wrong: tried.wrong });
      desk.done(visit, `${HERE}/${name}`, 'provider_added', { name: titleOf(tried.saved) });
    },
    { strong: true, back: at, keep: keptWithoutSecrets(groups) },
  );
}

function addOne(desk: Desk, upstreams: Upstreams): void {
  const providerAt = (visit: Visit) => upstreams.get(parameterOf(visit, 'id'));
  const url = ({ name }: KnownProvider, path = '') => desk.url(`${HERE}/${name}${path}`);

  desk.get(AT, async (visit) => {
    const known = await providerAt(visit);
    const { type, display_name, ...settings } = known.settings;
    const facts = { redirect_uri: upstreams.callbackOf(known.name), ...settings };
    await desk.show(
      visit,
      'provider',
      (t, { tag }) => ({
        name: shownText(display_name ?? known.name),
        id: known.name,
        type: BRANDS[type as ProviderType],
        source: known.source,
        enabled: known.enabled,
        since: known.created_at === null ? null : datesIn(tag, visit.account.claims.zoneinfo).day(known.created_at),
        facts: Object.entries(facts).map(([name, value]) => ({
          name,
          label: WORDED.has(name) ? t(`console.field.${name}`) : null,
          values:
            typeof value === 'boolean'
              ? [t(value ? 'console.option.yes' : 'console.option.no')]
              : (Array.isArray(value) ? value : [value]).map((one) => String(one)),
        })),
        urls: {
          list: desk.url(HERE),
          edit: url(known, '/edit'),
          test: url(known, '/test'),
          state: url(known, known.enabled ? '/disable' : '/enable'),
          remove: url(known, '/delete'),
        },
      }),
      { title: ['console.title.provider', { name: titleOf(known) }] },
    );
  });

  const show = (visit: Visit, known: KnownProvider, page: Partial<FormPage> & { values: Values }) =>
    showForm(desk, visit, {
      title: ['console.title.provider_edit', { name: titleOf(known) }],
      action: url(known, '/edit'),
      back: url(known),
      submit: 'console.submit.save',
      groups: providerGroups(typeOf(known), true),
      ...page,
    });
  desk.get(
    `${AT}/edit`,
    async (visit) => {
      const known = await providerAt(visit);
      const { version, ...draft } = desk.draft(visit, `${HERE}/${known.name}/edit`);
      const values = { ...providerValues(known, providerGroups(typeOf(known), true)), ...draft };
      await show(visit, known, { values, version: version ? Number(version) : known.version });
    },
    { strong: true },
  );
  const keep = [...new Set(PROVIDER_TYPES.flatMap((type) => keptWithoutSecrets(providerGroups(type, true))))];
  desk.post(
    `${AT}/edit`,
    async (visit) => {
      const known = await providerAt(visit);
      const groups = providerGroups(typeOf(known), true);
      const values = valuesTyped(visit, groups, providerValues(known, groups));
      const version = versionOf(visit.ctx);
      const change = toProviderChange(values, groups);
      const tried = await trySaving(groups, () => upstreams.update(principalOf(visit), known.name, change, version));
      const again = withoutSecrets(values);
      if ('stale' in tried) {
        const now = await upstreams.get(known.name);
        return show(visit, now, { values: again, version: now.version, overtaken: providerValues(now, groups) });
      }
      if ('wrong' in tried) return show(visit, known, { values: again, version, wrong: tried.wrong });
      desk.done(visit, `${HERE}/${known.name}`, 'provider_saved', { name: titleOf(tried.saved) });
    },
    { strong: true, back: `${AT}/edit`, keep },
  );
}

function addActs(desk: Desk, upstreams: Upstreams): void {
  const nameAt = (visit: Visit) => parameterOf(visit, 'id');

  desk.post(`${AT}/test`, async (visit) => {
    const name = nameAt(visit);
    const { ok } = await upstreams.test(name);
    desk.done(visit, `${HERE}/${name}`, ok ? 'provider_answers' : 'provider_silent', { name });
  });
  for (const [path, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const)
    desk.post(
      `${AT}/${path}`,
      async (visit) => {
        const known = await upstreams.update(principalOf(visit), nameAt(visit), { enabled });
        desk.done(visit, `${HERE}/${known.name}`, enabled ? 'provider_on' : 'provider_off', { name: titleOf(known) });
      },
      { strong: true, back: AT },
    );
  desk.get(
    `${AT}/delete`,
    async (visit) => {
      const known = await upstreams.get(nameAt(visit));
      await showConfirmation(desk, visit, {
        id: 'provider_delete',
        name: titleOf(known),
        detail: known.name,
        action: desk.url(`${HERE}/${known.name}/delete`),
        back: desk.url(`${HERE}/${known.name}`),
        danger: true,
      });
    },
    { strong: true },
  );
  desk.post(
    `${AT}/delete`,
    async (visit) => {
      const known = await upstreams.get(nameAt(visit));
      await upstreams.remove(principalOf(visit), known.name);
      desk.done(visit, HERE, 'provider_removed', { name: titleOf(known) });
    },
    { strong: true, back: `${AT}/delete` },
  );
}
