/** What is asked of an app or an API: which fields by its kind, what stands in them, and what is registered of what was typed. */
import { ACCESS_TOKEN_FORMATS } from '../clients/client.ts';
import type { Client, ClientType } from '../clients/client.ts';
import type { ClientChange, NewClient } from '../clients/clients.ts';
import { SIGNED_WITH } from '../clients/protocol.ts';
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

const API_ALG = hinted('access_token_signing_alg', 'select', {
  options: [{ value: '', key: 'console.option.usual' }, ...SIGNED_WITH.map((value) => ({ value, text: value }))],
});
const API = [hinted('api_scopes', 'lines'), FORMAT, hinted('access_token_lifetime', 'text'), API_ALG];

/** @param made the client is there already: what stays for good is not asked. */
export function groupsFor(type: ClientType, made: boolean): Group[] {
  const first = (controls: Control[]): Group => ({ heading: null, controls });
  if (type === 'api') {
    const identifier = made ? [] : [hinted('resource', 'text')];
    return [first([NAME, ...identifier, ...API])];
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

/** A scope a line, and what it means behind it. */
export const scopeLines = ({ scope, scope_descriptions = {} }: Client): string =>
  (scope?.split(' ') ?? []).map((name) => `${name} ${scope_descriptions[name] ?? ''}`.trim()).join('\n');

function readScopes(lines: string): Pick<ClientChange, 'scope' | 'scope_descriptions'> {
  const read = lines.split('\n').flatMap((line) => {
    const [, name, words] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, (words ?? '').trim()] as const];
  });
  return {
    scope: read.map(([name]) => name).join(' ') || null,
    scope_descriptions: Object.fromEntries(read.filter(([, words]) => words !== '')),
  };
}

const LISTS = ['redirect_uris', 'post_logout_redirect_uris', 'identity_providers', 'default_acr_values'];

/** What is registered, as text for the form. */
export function clientValues(client: Client, groups: Group[]): Values {
  const all: Record<string, unknown> = { ...client, name: client.client_name };
  const text = ({ name, kind }: Control): string => {
    const value = all[name];
    if (kind === 'tick') return value === true ? 'yes' : '';
    if (name === 'api_scopes') return scopeLines(client);
    if (Array.isArray(value)) return value.join('\n');
    return typeof value === 'string' || typeof value === 'number'
      ? String(value)
      : name === 'access_token_format'
        ? 'jwt'
        : '';
  };
  return Object.fromEntries(groups.flatMap(({ controls }) => controls).map((one) => [one.name, text(one)]));
}

/** What was typed, as the rules take it; null for what is empty. */
export function toChange(values: Values, groups: Group[]): ClientChange {
  const read = ({ name, kind }: Control): object => {
    const value = values[name] ?? '';
    if (name === 'api_scopes') return readScopes(value);
    if (kind === 'tick') return { [name]: value === 'yes' };
    if (LISTS.includes(name)) return { [name]: linesOf(value) };
    // What is no number is for the rules to refuse.
    if (name === 'access_token_lifetime') return { [name]: value === '' ? null : Number(value) };
    return { [name]: value === '' && name !== 'name' ? null : value };
  };
  return Object.assign({}, ...groups.flatMap(({ controls }) => controls).map(read)) as ClientChange;
}

export const toNewClient = (type: ClientType, values: Values, groups: Group[]): NewClient =>
  ({
    ...Object.fromEntries(Object.entries(toChange(values, groups)).filter(([, value]) => value !== null)),
    type,
  }) as NewClient;
