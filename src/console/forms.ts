/** Forms of the console: what they ask for, what was typed, what is wrong with it. One template draws all of them. */
import type { Context } from 'koa';
import { field, fields, isAnswered } from '../http/body.ts';
import { isGatehouseError } from '../kernel/errors.ts';
import type { Desk, Visit } from '../visits/visit.ts';

export interface Control {
  name: string;
  /** `lines` is one value per line; `choices` are ticked, of many that are offered also typed: values without spaces. */
  kind: 'json' | 'file' | 'text' | 'email' | 'url' | 'password' | 'lines' | 'select' | 'tick' | 'search' | 'choices';
  /** Catalogue key. */
  label: string;
  hint?: string;
  optional?: boolean;
  /** Of a `select` and of `choices`; of a `text` what is proposed. */
  options?: Option[];
  /** Of `choices`: others than those that are offered may be typed. */
  open?: boolean;
  autocomplete?: string;
  /** Of a `file`: what it may be, as the browser's chooser takes it. */
  accept?: string;
  /** What it is where nothing is typed. */
  placeholder?: string;
  /** Of a setting: whether it is set over the configuration, what that says, and its name for whoever resets it. */
  over?: { set: boolean; configured: string; configured_key?: string; setting: string };
}

export interface Option {
  value: string;
  /** A catalogue key, or a text that is nobody's language. */
  key?: string;
  text?: string;
  /** It is there to be ticked however many others there are. */
  usual?: boolean;
}

export interface Group {
  /** Catalogue key. */
  heading: string | null;
  controls: Control[];
}

export type Values = Record<string, string>;

/** What speaks against a value: in the words of the catalogue, or as the rule itself says it, in English. */
export interface Wrong {
  field: string;
  key?: string;
  variables?: Record<string, unknown>;
  plain?: string;
}

export interface FormPage {
  title: [key: string, variables?: Record<string, unknown>];
  /** Catalogue key, with the variables of the title. */
  lead?: string;
  action: string;
  back: string;
  submit: string;
  groups: Group[];
  values: Values;
  wrong?: Wrong | undefined;
  /** Of the record that is edited. */
  version?: number | undefined;
  /** What somebody else has saved meanwhile, where that is not what was typed. */
  overtaken?: Values | undefined;
  danger?: boolean;
  /** Address that says what is wrong with one field while it is typed. */
  check?: string | undefined;
  /** Somebody is still typing. */
  checked?: boolean;
  /** What is not wrong but worth a second look. */
  warnings?: Notice[] | undefined;
}

/** In the words of the catalogue. */
export interface Notice {
  field: string;
  key: string;
  variables: Record<string, unknown>;
}

const controlsOf = (groups: Group[]) => groups.flatMap(({ controls }) => controls);
export const namesOf = (groups: Group[]): string[] => controlsOf(groups).map(({ name }) => name);
/** Those that come back after a proof of who one is: never a password. */
export const keptOf = (groups: Group[]): string[] => [
  'version',
  ...controlsOf(groups)
    .filter(({ kind }) => kind !== 'password')
    .map(({ name }) => name),
];

/** Each once, one a line. */
export const inLines = (values: string[]): string => [...new Set(values)].join('\n');

function typedInto(ctx: Context, { name, kind }: Control): string {
  if (kind === 'choices') return inLines(linesOf(fields(ctx, name).join('\n')));
  return field(ctx, name).replace(/\r\n?/g, '\n').trim();
}

/**
 * What was typed into each field.
 * @param current what stays where the form had no such field, as one from before an upgrade; nothing unless said.
 */
export const valuesOf = (ctx: Context, groups: Group[], current: Values = {}): Values =>
  Object.fromEntries(
    controlsOf(groups).map((control) => {
      const { name, kind } = control;
      return [name, isAnswered(ctx, name, kind === 'tick') ? typedInto(ctx, control) : (current[name] ?? '')];
    }),
  );
/** A password is what was typed, spaces and all. */
export const typed = field;

export const linesOf = (value: string | undefined): string[] =>
  (value ?? '').split(/\s+/).filter((line) => line !== '');

/** The version that the admin has seen; undefined where the form says none, which is then none that there is. */
export function versionOf(ctx: Context): number {
  const version = field(ctx, 'version');
  return /^\d{1,9}$/.test(version) ? Number(version) : -1;
}

/** Of the form on its page: a button outside of it sends it too. */
export const FORM_ID = 'gh-form';

export const showForm = (desk: Desk, visit: Visit, page: FormPage): Promise<void> =>
  desk.show(
    visit,
    'form',
    (t) => {
      const { wrong, overtaken } = page;
      const text = wrong && (wrong.key === undefined ? wrong.plain : t(wrong.key, { ...wrong.variables }));
      const labels = new Map(controlsOf(page.groups).map(({ name, label }) => [name, t(label)]));
      const changed = Object.entries(overtaken ?? {}).filter(([name, now]) => now !== (page.values[name] ?? ''));
      return {
        ...page,
        heading: t(page.title[0], { ...page.title[1] }),
        lead: page.lead === undefined ? null : t(page.lead, { ...page.title[1] }),
        problem: wrong ? { field: wrong.field, text, plain: wrong.key === undefined } : null,
        overtaken: overtaken ? changed.map(([name, now]) => ({ name, label: labels.get(name) ?? name, now })) : null,
        version: page.version ?? null,
        danger: page.danger ?? false,
        check: page.check ?? null,
        asked: namesOf(page.groups).join(' '),
        live: page.check !== undefined,
        chooses: controlsOf(page.groups).some(({ kind }) => kind === 'choices'),
        resend: { form: FORM_ID, label: t(page.submit), danger: page.danger ?? false },
        warnings: (page.warnings ?? []).map(({ field: about, key, variables }) => ({
          field: about,
          text: t(key, variables),
        })),
      };
    },
    { title: page.title, status: page.overtaken ? 412 : page.wrong && !page.checked ? 400 : 200 },
  );

/** What is one field of a form where it is another, or several, of the record. */
const IN_FORMS: Record<string, string> = { scope_descriptions: 'api_scopes' };

export type Saved<T> = { saved: T } | { wrong: Wrong } | { stale: true };

/**
 * Does what a form asks for. What speaks against a value comes back rather than as an error page; a field that the form
 * has not is put to the first that it has.
 */
export async function trySaving<T>(groups: Group[], work: () => Promise<T>): Promise<Saved<T>> {
  try {
    return { saved: await work() };
  } catch (error) {
    if (isGatehouseError(error, 'stale')) return { stale: true };
    const refused = ['invalid_input', 'duplicate', 'not_found', 'conflict'] as const;
    if (!refused.some((code) => isGatehouseError(error, code)) || !isGatehouseError(error)) throw error;
    const names = namesOf(groups);
    const named = IN_FORMS[error.field ?? ''] ?? error.field?.replace(/^claims\//, '') ?? '';
    const [where = names[0]!] = [named, 'other_metadata'].filter((name) => names.includes(name));
    return { wrong: { field: where, plain: error.message } };
  }
}
