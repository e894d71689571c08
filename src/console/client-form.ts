/** What is asked of an app or an API: which fields by its kind, what stands in them, and what is registered of what was typed. */
import { CONSENTS } from '../clients/app-settings.ts';
import { ACCESS_TOKEN_FORMATS, authMethod } from '../clients/client.ts';
import type { Client, ClientType } from '../clients/client.ts';
import type { ClientChange, NewClient } from '../clients/clients.ts';
import { withoutNothing } from '../clients/input.ts';
import { protocolSchema, SIGNED_WITH } from '../clients/protocol.ts';
import { ACR } from '../factors/levels.ts';
import { invalidInput } from '../kernel/errors.ts';
import { inLines, linesOf, namesOf } from './forms.ts';
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

const lifetime = (name: string): Control => control(name, 'text', { hint: 'console.hint.app_lifetime' });

const NAME = hinted('name', 'text', {
  label: 'console.field.client_name',
  hint: 'console.hint.client_name',
  optional: false,
});
const REDIRECTS = [hinted('redirect_uris', 'lines', { optional: false }), hinted('post_logout_redirect_uris', 'lines')];
const PAGES = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri'].map((name) => control(name, 'url'));
const SIGN_IN = [
  hinted('first_party', 'tick'),
  control('consent', 'select', {
    options: CONSENTS.map((value) => ({ value, key: `console.option.consent_${value}` })),
  }),
  control('default_acr_values', 'select', {
    options: [
      { value: '', key: 'console.option.any_sign_in' },
      { value: ACR[2], key: 'console.option.two_factors' },
      { value: ACR[3], key: 'console.option.passkey' },
    ],
  }),
  hinted('identity_providers', 'choices'),
];
const TOKENS = [
  hinted('scope', 'choices', { open: true }),
  hinted('allowed_resources', 'choices'),
  hinted('default_resource', 'select'),
  { ...lifetime('access_token_lifetime'), label: 'console.field.app_access_token_lifetime' },
];
const ALG = control('id_token_signed_response_alg', 'select', {
  options: SIGNED_WITH.map((value) => ({ value, text: value })),
});
const ID_TOKENS = [ALG, hinted('id_token_profile_claims', 'tick'), lifetime('id_token_lifetime')];
const REFRESH = lifetime('refresh_token_lifetime');
const PROOF: Group = {
  heading: 'console.group.proof',
  controls: [
    hinted('token_endpoint_auth_method', 'select', {
      options: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'].map((value) => ({
        value,
        key: `console.option.${value}`,
      })),
    }),
    hinted('jwks_uri', 'url'),
    hinted('jwks', 'json'),
  ],
};
const SWITCHES = ['require_pushed_authorization_requests', 'dpop_bound_access_tokens'].map((name) =>
  control(name, 'tick'),
);
const BOUND = control('tls_client_certificate_bound_access_tokens', 'tick');
/** Whatever else there is, by its own name: no field for each of forty. */
const OTHERS = hinted('other_metadata', 'json');
const protocolOf = (switches: Control[]): Group => ({
  heading: 'console.group.protocol',
  controls: [...switches, OTHERS],
});
const FORMAT = hinted('access_token_format', 'select', {
  options: ACCESS_TOKEN_FORMATS.map((value) => ({ value, key: `console.option.${value}` })),
});

const API_ALG = hinted('access_token_signing_alg', 'select', {
  options: [{ value: '', key: 'console.option.usual' }, ...SIGNED_WITH.map((value) => ({ value, text: value }))],
});
const API = [
  hinted('api_scopes', 'lines'),
  FORMAT,
  hinted('access_token_lifetime', 'text'),
  API_ALG,
  hinted('detail_types', 'json'),
];

/** @param made the client is there already: what stays for good is not asked. */
export function groupsFor(type: ClientType, made: boolean): Group[] {
  const first = (controls: Control[]): Group => ({ heading: null, controls });
  if (type === 'api') {
    const identifier = made ? [] : [hinted('resource', 'text')];
    return [first([NAME, ...identifier, ...API]), protocolOf([])];
  }
  if (type === 'service') return [first([NAME, ...TOKENS]), PROOF, protocolOf([SWITCHES[1]!, BOUND])];
  const refresh = type === 'web' ? [hinted('always_issue_refresh_token', 'tick')] : [];
  const told = type === 'web' ? [hinted('backchannel_logout_uri', 'url')] : [];
  return [
    first([NAME, ...REDIRECTS, ...told]),
    { heading: 'console.group.sign_in', controls: SIGN_IN },
    { heading: 'console.group.tokens', controls: [...TOKENS, ...ID_TOKENS, ...refresh, REFRESH] },
    ...(type === 'web' ? [PROOF] : []),
    protocolOf(type === 'web' ? [...SWITCHES, BOUND] : SWITCHES),
    { heading: 'console.group.pages', controls: [...PAGES, hinted('theme', 'select')] },
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

const LISTS = [
  ...['redirect_uris', 'post_logout_redirect_uris', 'identity_providers', 'default_acr_values'],
  'allowed_resources',
];
const NUMBERS = ['access_token_lifetime', 'id_token_lifetime', 'refresh_token_lifetime'];
/** Where nothing is registered, or nothing typed yet. */
const USUAL: Values = { access_token_format: 'jwt', consent: 'remember', id_token_profile_claims: 'yes' };
const PROTOCOL = Object.keys(protocolSchema.shape);
/** What of the protocol has no field of its own in this form. */
const othersOf = (groups: Group[]): string[] => PROTOCOL.filter((name) => !namesOf(groups).includes(name));

/** What stands in the form of something new. */
export const usualValues = (groups: Group[]): Values =>
  Object.fromEntries(Object.entries(USUAL).filter(([name]) => namesOf(groups).includes(name)));

/** What is registered, as text for the form. */
export function clientValues(client: Client, groups: Group[]): Values {
  const all: Record<string, unknown> = {
    ...client,
    ...client.protocol,
    token_endpoint_auth_method: authMethod(client),
    name: client.client_name,
  };
  const text = ({ name, kind }: Control): string => {
    const value = all[name];
    if (name === OTHERS.name) {
      const others = Object.entries(client.protocol ?? {}).filter(([key]) => othersOf(groups).includes(key));
      return others.length > 0 ? JSON.stringify(Object.fromEntries(others), null, 2) : '';
    }
    if (kind === 'tick') return (value ?? USUAL[name] === 'yes') === true ? 'yes' : '';
    if (kind === 'json') return value === undefined ? '' : JSON.stringify(value, null, 2);
    if (name === 'scope') return inLines(linesOf(client.scope ?? ''));
    if (name === 'api_scopes') return scopeLines(client);
    if (Array.isArray(value)) return value.join('\n');
    return typeof value === 'string' || typeof value === 'number' ? String(value) : (USUAL[name] ?? '');
  };
  return Object.fromEntries(groups.flatMap(({ controls }) => controls).map((one) => [one.name, text(one)]));
}

/** What is no JSON is for the rules to refuse. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What is not there is taken away. @throws invalid_input where it cannot be metadata at all. */
function readOthers(text: string, groups: Group[]): Record<string, unknown> {
  const none = Object.fromEntries(othersOf(groups).map((name) => [name, null]));
  const read = text === '' ? {} : readJson(text);
  const parsed = protocolSchema.partial().safeParse(read);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidInput(`${issue!.path.join('.') || 'the JSON'}: ${issue!.message}`, OTHERS.name);
  }
  return { ...none, ...parsed.data };
}

/** What was typed, as the rules take it; null for what is empty. */
export function toChange(values: Values, groups: Group[]): ClientChange {
  const read = ({ name, kind }: Control): object => {
    const value = values[name] ?? '';
    if (name === 'api_scopes') return readScopes(value);
    if (kind === 'tick' && PROTOCOL.includes(name)) return { [name]: value === 'yes' ? true : null };
    if (kind === 'tick') return { [name]: value === 'yes' };
    if (name === 'scope') return { scope: linesOf(value).join(' ') || null };
    if (LISTS.includes(name)) return { [name]: linesOf(value) };
    // What is no number is for the rules to refuse.
    if (NUMBERS.includes(name)) return { [name]: value === '' ? null : Number(value) };
    if (kind === 'json') return { [name]: value === '' ? null : readJson(value) };
    return { [name]: value === '' && name !== 'name' ? null : value };
  };
  const controls = groups.flatMap((group) => group.controls).filter(({ name }) => name !== OTHERS.name);
  const said = Object.assign({}, ...controls.map(read)) as Record<string, unknown>;
  const others = OTHERS.name in values ? readOthers(values[OTHERS.name]!, groups) : {};
  const ofProtocol = [...Object.entries(others), ...Object.entries(said).filter(([name]) => PROTOCOL.includes(name))];
  const own = Object.entries(said).filter(([name]) => !PROTOCOL.includes(name));
  return {
    ...Object.fromEntries(own),
    ...(ofProtocol.length > 0 ? { protocol: Object.fromEntries(ofProtocol) } : {}),
  };
}

export function toNewClient(type: ClientType, values: Values, groups: Group[]): NewClient {
  const { protocol, ...said } = toChange(values, groups);
  return { ...withoutNothing(said), ...(protocol ? { protocol: withoutNothing(protocol) } : {}), type } as NewClient;
}
