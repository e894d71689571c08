/** Random worlds as files say them: small, of every kind, and such that any can follow any other. */
import fc from 'fast-check';
import { stringify as write } from 'yaml';

export type Resource = Record<string, unknown>;

const API = 'https://api.example/';
const path = fc.constantFrom('a', 'b', 'c');
const some = <T>(one: fc.Arbitrary<T>, most = 3) => fc.dictionary(path, one, { noNullPrototype: true, maxKeys: most });
const listOf = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });
const awkward = fc.constantFrom('Orders', 'x: y', '# not a comment', '- dash', '"', 'null', '12', 'Ünïcode 名', "it's");

const api: fc.Arbitrary<Resource> = fc.record(
  {
    client_name: awkward,
    access_token_format: fc.constantFrom('jwt', 'opaque'),
    scope: fc.constantFrom('read', 'read write'),
  },
  { requiredKeys: ['client_name'] },
);

const app: fc.Arbitrary<Resource> = fc.record(
  {
    client_name: fc.constantFrom('Shop', 'true', '~', '{a: 1}', 'a\tb', "it's", '5e3'),
    scope: fc.constantFrom('openid', 'openid email'),
    redirect_uris: fc.uniqueArray(
      path.map((one) => `https://app.example/${one}`),
      { minLength: 1 },
    ),
    post_logout_redirect_uris: fc.uniqueArray(path.map((one) => `https://app.example/out/${one}`)),
    first_party: fc.boolean(),
    logo_uri: fc.constant('https://app.example/logo.png'),
    default_acr_values: fc.constantFrom([], ['urn:gatehouse:acr:2']),
    require_pushed_authorization_requests: fc.boolean(),
    default_max_age: fc.constantFrom(0, 60),
    subject_type: fc.constantFrom('public', 'pairwise'),
    backchannel_logout_uri: fc.constant('https://app.example/ended'),
    default_resource: fc.constant(`${API}a`),
    identity_providers: fc.constant(['oidc-a']),
    id_token_signed_response_alg: fc.constantFrom('RS256', 'ES256'),
  },
  { requiredKeys: ['client_name', 'redirect_uris'] },
);

const role: fc.Arbitrary<Resource> = fc.record(
  { description: awkward, permissions: listOf('pages:read', 'pages:write', '*', "it's", 'null') },
  { requiredKeys: [] },
);
/** Roles need no record, but what stays may not name one that goes. */
const isThere = (roles: object, name: string) => !name.startsWith('role-') || name.slice('role-'.length) in roles;
const group: fc.Arbitrary<Resource> = fc.record(
  { description: awkward, roles: listOf('role-a', 'role-b', 'nobody-made-it') },
  { requiredKeys: [] },
);

const provider = (type: string): fc.Arbitrary<Resource> =>
  fc.record(
    {
      client_id: fc.constantFrom('us', 'null', '007'),
      client_secret: fc.constantFrom('env:ONE_SECRET', 'env:OTHER_SECRET'),
      ...(type === 'oidc' ? { issuer: fc.constantFrom('https://idp.example', 'https://idp.example/other') } : {}),
      enabled: fc.boolean(),
      trust_email: fc.boolean(),
      display_name: awkward,
    },
    { requiredKeys: ['client_id', 'client_secret', ...(type === 'oidc' ? (['issuer'] as never[]) : [])] },
  );

/** What the references of a world lead to. */
export const WORLD_ENV = { ONE_SECRET: 'a secret of theirs', OTHER_SECRET: 'another secret of theirs' };

const settings: fc.Arbitrary<Resource> = fc.record(
  {
    'brand.name': awkward,
    'brand.accent': fc.constantFrom('#123456', '#abcdef'),
    'brand.locale': fc.constantFrom('de', 'ja'),
    'sign_up.enabled': fc.boolean(),
    'passwords.min_length': fc.constantFrom(8, 12),
    'factors.required_roles': listOf('nobody-made-it', 'another'),
    'lifetimes.session': fc.constantFrom(3600, 86_400),
  },
  { requiredKeys: [] },
);

const rule: fc.Arbitrary<Resource> = fc.record(
  {
    claim: fc.constantFrom(['may'], ['app', 'roles'], ['https://app.example/groups']),
    source: fc.constantFrom('roles', 'permissions', 'groups'),
    into: fc.constantFrom(['access_token'], ['id_token', 'userinfo']),
    shape: fc.constantFrom('list', 'spaces'),
    when: fc.constantFrom({ role: 'role-a' }, { group: 'group-a', scope: 'openid' }),
  },
  { requiredKeys: ['claim', 'source', 'into'] },
);
/** No two rows may make one claim. */
const rules = fc.uniqueArray(rule, { minLength: 1, maxLength: 2, selector: ({ claim }) => JSON.stringify(claim) });

/** Ids have a type for good, so that any two worlds can follow each other. What an app names is there. */
export const world: fc.Arbitrary<Resource[]> = fc
  .record({
    apis: some(api),
    web: some(app),
    spa: some(app, 1),
    roles: some(role),
    groups: some(group),
    oidc: some(provider('oidc'), 2),
    github: some(provider('github'), 1),
    settings: fc.option(settings, { nil: undefined }),
    general: fc.option(rules, { nil: undefined }),
    own: fc.option(rules, { nil: undefined }),
  })
  .map(({ apis, web, spa, roles, groups, oidc, github, ...rest }) => {
    const fit = (
      type: string,
      id: string,
      { default_resource, identity_providers, ...others }: Resource,
    ): Resource => ({
      kind: 'client',
      client_id: `${type}-${id}`,
      type,
      ...others,
      ...('a' in apis && default_resource !== undefined ? { default_resource } : {}),
      ...('a' in oidc && identity_providers !== undefined ? { identity_providers } : {}),
    });
    const each = (all: Record<string, Resource>, make: (id: string, one: Resource) => Resource) =>
      Object.entries(all).map(([id, one]) => make(id, one));
    const apps = [...each(web, (id, one) => fit('web', id, one)), ...each(spa, (id, one) => fit('spa', id, one))];
    const first = apps[0]?.['client_id'];
    return [
      ...(rest.own && first !== undefined ? [{ kind: 'claims', client_id: first, rules: rest.own }] : []),
      ...apps,
      ...each(apis, (id, one) => ({ kind: 'api', client_id: `api-${id}`, resource: `${API}${id}`, ...one })),
      ...each(groups, (id, { roles: carried, ...one }) => ({
        kind: 'group',
        name: `group-${id}`,
        ...one,
        ...(carried ? { roles: (carried as string[]).filter((name) => isThere(roles, name)) } : {}),
      })),
      ...each(roles, (id, one) => ({ kind: 'role', name: `role-${id}`, ...one })),
      ...each(oidc, (id, one) => ({ kind: 'provider', name: `oidc-${id}`, type: 'oidc', ...one })),
      ...each(github, (id, one) => ({ kind: 'provider', name: `github-${id}`, type: 'github', ...one })),
      ...(rest.general ? [{ kind: 'claims', rules: rest.general }] : []),
      ...(rest.settings ? [{ kind: 'settings', ...rest.settings }] : []),
    ];
  });

const stringify = (value: unknown) => write(value, { aliasDuplicateObjects: false });

/** As one list, or as a document for each. */
export const asFile = (resources: Resource[], asList = true): string =>
  asList ? stringify(resources) : resources.map(stringify).join('---\n');
