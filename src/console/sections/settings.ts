/** Settings: what can be set while all runs, on one page. What is left empty is as configured. */
import type { AllSettings, Setting, Settings, SettingsChange } from '../../administration/settings.ts';
import { field } from '../../http/body.ts';
import { invalidInput, isGatehouseError, notFound } from '../../kernel/errors.ts';
import { SETTING_NAMES } from '../../config/settings.ts';
import type { Section, Visit } from '../../visits/visit.ts';
import { linesOf, showForm, trySaving, valuesOf, versionOf } from '../forms.ts';
import type { Control, FormPage, Group, Values } from '../forms.ts';
import { principalOf } from '../place.ts';
import { shownText } from '../provider-form.ts';

interface Needs {
  settings: Settings;
}

const HERE = '/settings';
/** Of its field: whoever reads forms takes a dot for a part of an object. */
const nameOf = (key: string): string => key.replace('.', '_');
const GROUPS: Record<string, string> = {
  brand: 'console.group.look',
  sign_up: 'console.group.sign_in',
  passwords: 'console.group.passwords',
  factors: 'console.group.factors',
  lifetimes: 'console.group.lifetimes',
  mail: 'console.group.mail',
};

/** Settings that need a word beside their name. */
const EXPLAINED = new Set([
  'brand.accent',
  'brand.accent_dark',
  'brand.theme',
  'brand.locale',
  'passwords.min_length',
  'passwords.breach_check',
  'factors.required_roles',
  'factors.enrolment_grace',
  'lifetimes.refresh_token',
  'mail.from',
]);
/** A list that is set to be empty: left out it would be as configured. */
const NONE = '-';

type Option = NonNullable<Control['options']>[number];

const SWITCH: Option[] = [
  { value: 'true', key: 'console.option.on' },
  { value: 'false', key: 'console.option.off' },
];

/** Its name for itself. */
const languageName = (lang: string) => new Intl.DisplayNames([lang], { type: 'language' }).of(lang) ?? lang;

/** What can be chosen, in words. */
function optionsOf({ key, type, choices }: Setting): Option[] | undefined {
  if (type === 'boolean') return SWITCH;
  if (key === 'brand.locale') return choices?.map((lang) => ({ value: lang, text: languageName(lang) }));
  return choices?.map((value) => ({ value, key: `console.option.${nameOf(key)}_${value}` }));
}

const written = (value: unknown): string =>
  Array.isArray(value) ? (value.length === 0 ? NONE : value.join('\n')) : shownText(value);

function controlOf(setting: Setting): Control {
  const { key, type, configured, source } = setting;
  const name = nameOf(key);
  const shown = written(configured).replaceAll('\n', ', ');
  const over = { set: source === 'set', configured: shown, setting: key };
  const hint = EXPLAINED.has(key) ? { hint: `console.setting_hint.${name}` } : {};
  const common = { name, label: `console.setting.${name}`, optional: true, ...hint };
  const options = optionsOf(setting);
  if (options) {
    const { text, key: configured_key } = options.find(({ value }) => value === shown) ?? {};
    const said = configured_key === undefined ? { configured: text ?? shown } : { configured_key };
    const all = [{ value: '', key: 'console.option.as_configured' }, ...options];
    return { ...common, kind: 'select', options: all, over: { ...over, ...said } };
  }
  if (type === 'list') return { ...common, kind: 'lines', over };
  return { ...common, kind: key.endsWith('_url') ? 'url' : 'text', placeholder: shown, over };
}

function groupsOf({ items }: AllSettings): Group[] {
  const parts = [...new Set(items.map(({ key }) => key.split('.')[0]!))];
  return parts.map((part) => ({
    heading: GROUPS[part] ?? null,
    controls: items.filter(({ key }) => key.startsWith(`${part}.`)).map(controlOf),
  }));
}

const valuesFrom = ({ items }: AllSettings): Values =>
  Object.fromEntries(items.map(({ key, value, source }) => [nameOf(key), source === 'set' ? written(value) : '']));

/** What was typed, as the rules take it. A number that is none is left to them to refuse. */
const changeFrom = ({ items }: AllSettings, values: Values): SettingsChange =>
  Object.fromEntries(
    items.map(({ key, type }): [string, unknown] => {
      const typed = values[nameOf(key)] ?? '';
      if (typed === '') return [key, null];
      if (type === 'boolean') return [key, typed === 'true'];
      if (type === 'list') return [key, typed === NONE ? [] : linesOf(typed)];
      return [key, type === 'number' && /^\d{1,12}$/.test(typed) ? Number(typed) : typed];
    }),
  );

/** What speaks against a setting is put to its field. */
async function atField<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isGatehouseError(error, 'invalid_input') || error.field === undefined) throw error;
    throw invalidInput(error.message, nameOf(error.field));
  }
}

export function settingsSection({ settings }: Needs): Section {
  return {
    id: 'settings',
    group: 'system',
    path: HERE,
    add(desk) {
      const show = (visit: Visit, all: AllSettings, page: Partial<FormPage> & { values: Values }) =>
        showForm(desk, visit, {
          title: ['console.title.settings'],
          lead: 'console.lead.settings',
          action: desk.url(HERE),
          back: desk.url(''),
          submit: 'console.submit.save',
          groups: groupsOf(all),
          ...page,
        });

      desk.get(HERE, async (visit) => {
        const all = await settings.list();
        const { version, ...draft } = desk.draft(visit, HERE);
        await show(visit, all, {
          values: { ...valuesFrom(all), ...draft },
          version: version ? Number(version) : all.version,
        });
      });
      desk.post(
        HERE,
        async (visit) => {
          const all = await settings.list();
          const groups = groupsOf(all);
          const values = valuesOf(visit.ctx, groups, valuesFrom(all));
          const version = versionOf(visit.ctx);
          const change = changeFrom(all, values);
          const tried = await trySaving(groups, () => atField(settings.change(principalOf(visit), change, version)));
          if ('stale' in tried) {
            const now = await settings.list();
            return show(visit, now, { values, version: now.version, overtaken: valuesFrom(now) });
          }
          if ('wrong' in tried) return show(visit, all, { values, version, wrong: tried.wrong });
          desk.done(visit, HERE, 'settings_saved');
        },
        { strong: true, back: HERE, keep: ['version', ...SETTING_NAMES.map(nameOf)] },
      );
      desk.post(
        `${HERE}/reset`,
        async (visit) => {
          const key = field(visit.ctx, 'setting');
          if (!SETTING_NAMES.includes(key)) throw notFound('no such setting');
          await settings.change(principalOf(visit), { [key]: null });
          desk.done(visit, HERE, 'setting_reset');
        },
        { strong: true, back: HERE },
      );
    },
  };
}
