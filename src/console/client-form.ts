/** What is asked of an app or an API: which fields by its kind, what stands in them, and what is registered of what was typed. */
import { ACCESS_TOKEN_FORMATS } from '../clients/client.ts';
import type { Client, ClientType } from '../clients/client.ts';
import type { ClientChange, NewClient } from '../clients/clients.ts';
import { ACR } from '../factors/levels.ts';
import { linesOf } from './forms.ts';
import type { Control, Group, Values } from './forms.ts';

type Kind = Control['kind'];
const control = (name: string, kind: Kind, more: Partial<Control> = {}): Control => ({
  name,
  kind,
  label: `console.field.${name}`,
  optional: true,
  ...more,
});
const hinted = (name: string, kind: Kind, more: Partial<Control> = {}): Control =>
  control(name, kind, { hint: `console.hint.${name}`, ...more });

const NAME = hinted('name', 'text', {
  label: 'console.field.client_name',
  hint: 'console.hint.client_name',
  optional: false,
});
const REDIRECTS = [hinted('redirect_uris', 'lines', { optional: false }), hinted('post_logout_redirect_uris', 'lines')];
const PAGES = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri'].map((name) => control(name, 'url'));
const SIGN_IN = [
  hinted('first_party', 'tick'),
  control('default_acr_values', 'select', {
    options: [
      { value: '', key: 'console.option.any_sign_in' },
      { value: ACR[2], key: 'console.option.two_factors' },
      { value: ACR[3], key: 'console.option.passkey' },
    ],
  }),
  hinted('identity_providers', 'lines'),
];
const TOKENS = [hinted('scope', 'text'), hinted('default_resource', 'text')];
const ALG = control('id_token_signed_response_alg', 'select', {
  options: ['RS256', 'ES256'].map((value) => ({ value, text: value })),
});
const FORMAT = hinted('access_token_format', 'select', {
  options: ACCESS_TOKEN_FORMATS.map((value) => ({ value, key: `console.option.${value}` })),
});

/** @param made the client is there already: what stays for good is not asked. */
export function groupsFor(type: ClientType, made: boolean): Group[] {
  const first = (controls: Control[]): Group => ({ heading: null, controls });
  if (type === 'api') {
    const identifier = made ? [] : [hinted('resource', 'text')];
    return [first([NAME, ...identifier, hinted('scope', 'text', { hint: 'console.hint.api_scope' }), FORMAT])];
  }
  if (type === 'service') return [first([NAME, ...TOKENS])];
  const refresh = type === 'web' ? [hinted('always_issue_refresh_token', 'tick')] : [];
  const told = type === 'web' ? [hinted('backchannel_logout_uri', 'url')] : [];
  return [
    first([NAME, ...REDIRECTS, ...told]),
    { heading: 'console.group.sign_in', controls: SIGN_IN },
    { heading: 'console.group.tokens', controls: [...TOKENS, ALG, ...refresh] },
    { heading: 'console.group.pages', controls: PAGES },
  ];
}

const LISTS = ['redirect_uris', 'post_logout_redirect_uris', 'identity_providers'];

/** What is registered, as text for the form. */
export function clientValues(client: Client, groups: Group[]): Values {
  const all: Record<string, unknown> = { ...client, name: client.client_name };
  const text = ({ name, kind }: Control): string => {
    const value = all[name];
    if (kind === 'tick') return value === true ? 'yes' : '';
    if (Array.isArray(value)) return value.join('\n');
    return typeof value === 'string' ? value : name === 'access_token_format' ? 'jwt' : '';
  };
  return Object.fromEntries(groups.flatMap(({ controls }) => controls).map((one) => [one.name, text(one)]));
}

/** What was typed, as the rules take it; null for what is empty. */
export function toChange(values: Values, groups: Group[]): ClientChange {
  const read = ({ name, kind }: Control): unknown => {
    const value = values[name] ?? '';
    if (kind === 'tick') return value === 'yes';
    if (LISTS.includes(name)) return linesOf(value);
    if (name === 'default_acr_values') return linesOf(value);
    return value === '' && name !== 'name' ? null : value;
  };
  return Object.fromEntries(groups.flatMap(({ controls }) => controls).map((one) => [one.name, read(one)]));
}

export const toNewClient = (type: ClientType, values: Values, groups: Group[]): NewClient =>
  ({
    ...Object.fromEntries(Object.entries(toChange(values, groups)).filter(([, value]) => value !== null)),
    type,
  }) as NewClient;
