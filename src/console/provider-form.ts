/** What is asked of a provider: which fields by its type, what stands in them, and what is kept of what was typed. */
import type { PROVIDER_TYPES } from '../config/federation.ts';
import type { KnownProvider, ProviderChange } from '../federation/records.ts';
import { linesOf } from './forms.ts';
import type { Control, Group, Values } from './forms.ts';

export type ProviderType = (typeof PROVIDER_TYPES)[number];

const control = (name: string, kind: Control['kind'], more: Partial<Control> = {}): Control => ({
  name,
  kind,
  label: `console.field.${name}`,
  optional: true,
  ...more,
});
const hinted = (name: string, kind: Control['kind'], more: Partial<Control> = {}): Control =>
  control(name, kind, { hint: `console.hint.${name}`, ...more });

const LISTS = ['scopes', 'allowed_tenants'];
const SECRETS = ['client_secret', 'private_key'];
const choice = (name: string, fallback: string): Control =>
  control(name, 'select', {
    options: [
      { value: '', key: fallback },
      { value: 'true', key: 'console.option.yes' },
      { value: 'false', key: 'console.option.no' },
    ],
  });

/** @param made it is there already: its name stays, and a secret that is left empty too. */
export function providerGroups(type: ProviderType, made: boolean): Group[] {
  const secretHint = made ? { hint: 'console.hint.secret_stays' } : {};
  const secret = (name: string, optional: boolean) =>
    control(name, 'password', { optional: made || optional, autocomplete: 'off', ...secretHint });
  const first = [
    ...(made ? [] : [hinted('provider_name', 'text', { optional: false })]),
    control('display_name', 'text'),
    control('client_id', 'text', { optional: false }),
  ];
  const own: Record<ProviderType, Control[]> = {
    oidc: [control('issuer', 'url', { optional: false }), secret('client_secret', true)],
    google: [secret('client_secret', false), control('hosted_domain', 'text')],
    github: [secret('client_secret', false), hinted('issuer', 'url', { hint: 'console.hint.github_issuer' })],
    microsoft: [secret('client_secret', false), control('tenant', 'text'), hinted('allowed_tenants', 'lines')],
    apple: [
      control('team_id', 'text', { optional: false }),
      control('key_id', 'text', { optional: false }),
      control('private_key', 'lines', { optional: made, ...secretHint }),
    ],
  };
  const amr = type === 'github' ? [] : [choice('trust_amr', 'console.option.by_default')];
  return [
    { heading: null, controls: [...first, ...own[type]] },
    {
      heading: 'console.group.people',
      controls: [
        control('scopes', 'text'),
        choice('trust_email', 'console.option.by_default'),
        choice('create_accounts', 'console.option.as_sign_up'),
        ...amr,
      ],
    },
  ];
}

const controlsOf = (groups: Group[]) => groups.flatMap(({ controls }) => controls);

/** Of a value that is text, a number or a switch. */
export const shownText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

export function providerValues({ settings }: KnownProvider, groups: Group[]): Values {
  const text = ({ name }: Control): string => {
    const value = settings[name];
    if (SECRETS.includes(name) || value === undefined || value === null) return '';
    return Array.isArray(value) ? value.join(name === 'scopes' ? ' ' : '\n') : shownText(value);
  };
  return Object.fromEntries(controlsOf(groups).map((one) => [one.name, text(one)]));
}

/** What was typed, as the rules take it; null for what is empty, but for secrets, which then stay. */
export function toProviderChange(values: Values, groups: Group[]): ProviderChange {
  const read = (name: string): unknown => {
    const typed = values[name] ?? '';
    if (typed === '') return SECRETS.includes(name) ? undefined : null;
    if (LISTS.includes(name)) return linesOf(typed);
    return ['trust_email', 'create_accounts', 'trust_amr'].includes(name) ? typed === 'true' : typed;
  };
  const named = controlsOf(groups).filter(({ name }) => name !== 'provider_name');
  return Object.fromEntries(named.map(({ name }) => [name, read(name)]));
}
