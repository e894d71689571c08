/** Apps of every kind, people, and what is asked for in their name: for checks that hold of all of them. */
import fc from 'fast-check';
import type { AccountChange } from '../../src/accounts/editing.ts';
import type { NewClient } from '../../src/clients/clients.ts';
import type { ClaimRule } from '../../src/roles/claim-rules.ts';

/** APIs with tokens of each form. */
export const NOTES = 'urn:notes';
export const PHOTOS = 'https://photos.example/api';
export const FILES = 'https://files.example/';
export const APIS: Partial<NewClient>[] = [
  { type: 'api', resource: NOTES, scope: 'notes:read notes:write' },
  {
    type: 'api',
    resource: PHOTOS,
    scope: 'photos:read',
    access_token_signing_alg: 'RS256',
    access_token_lifetime: 120,
  },
  { type: 'api', resource: FILES, scope: 'files:read', access_token_format: 'opaque', access_token_lifetime: 7200 },
];
const RESOURCES = [NOTES, PHOTOS, FILES];
const OF_PEOPLE = ['profile', 'email', 'phone', 'address', 'roles', 'permissions', 'groups'];
const OF_APIS = ['notes:read', 'notes:write', 'photos:read', 'files:read'];

const wordsOf = (text: string | undefined) => text?.split(' ') ?? [];
const fewOf = (all: string[], most = 2) => fc.subarray(all, { maxLength: Math.min(most, all.length) });
/** Mostly not. */
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

export const RULES: ClaimRule[] = [
  { claim: ['realm_access', 'roles'], source: 'roles', into: ['id_token', 'access_token', 'userinfo'] },
  { claim: ['may'], source: 'permissions', shape: 'spaces', into: ['access_token'] },
  { claim: ['teams'], source: 'groups', shape: 'commas', into: ['id_token'] },
  { claim: ['tenant'], source: 'constant', value: 'acme', into: ['access_token'] },
  { claim: ['mail'], source: 'profile', field: 'email', when: { scope: 'email' }, into: ['id_token', 'access_token'] },
  { claim: ['user'], source: 'profile', field: 'sub', into: ['id_token', 'access_token'] },
];
export const rules = fc.oneof(fc.constant<ClaimRule[]>([]), fc.subarray(RULES));

/** @param encrypted what is registered by an app whose ID tokens are encrypted. */
const protocols = (encrypted: NewClient['protocol']) =>
  fc.constantFrom<NonNullable<NewClient['protocol']>>(
    ...[{}, {}, {}, {}, {}, {}, {}],
    { subject_type: 'pairwise' },
    { token_endpoint_auth_method: 'client_secret_post' },
    { require_auth_time: true },
    { userinfo_signed_response_alg: 'ES256' },
    { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] },
    encrypted!,
  );

/** For apps that have a secret. */
const OF_SECRETS = ['token_endpoint_auth_method', 'grant_types'];

/** Settings that cannot stand beside others go. */
function fitting({ always_issue_refresh_token, protocol, ...app }: Partial<NewClient>): Partial<NewClient> {
  const { default_resource, allowed_resources = [], consent, ...rest } = app;
  const isPublic = app.type === 'spa' || app.type === 'native';
  const ofAnybody = Object.entries(protocol ?? {}).filter(([name]) => !OF_SECRETS.includes(name));
  const isAllowed = allowed_resources.length === 0 || allowed_resources.includes(default_resource ?? '');
  return {
    ...rest,
    protocol: isPublic ? Object.fromEntries(ofAnybody) : (protocol ?? {}),
    ...(always_issue_refresh_token !== undefined && !isPublic ? { always_issue_refresh_token } : {}),
    ...(allowed_resources.length > 0 ? { allowed_resources } : {}),
    ...(default_resource !== undefined && isAllowed ? { default_resource } : {}),
    ...(consent !== undefined && !rest.first_party ? { consent } : {}),
  };
}

export const apps = (encrypted: NewClient['protocol']): fc.Arbitrary<Partial<NewClient>> =>
  fc
    .record(
      {
        type: fc.constantFrom('web' as const, 'web' as const, 'web' as const, 'spa' as const, 'native' as const),
        first_party: fc.boolean(),
        always_issue_refresh_token: fc.boolean(),
        consent: fc.constant('always' as const),
        id_token_signed_response_alg: fc.constantFrom('ES256' as const, 'RS256' as const),
        id_token_profile_claims: fc.boolean(),
        access_token_lifetime: fc.constantFrom(45, 7200),
        id_token_lifetime: fc.constantFrom(60, 7200),
        refresh_token_lifetime: fc.constantFrom(3600, 864_000),
        default_resource: fc.constantFrom(...RESOURCES),
        allowed_resources: fc.subarray(RESOURCES),
        scope: fc.constantFrom(
          'openid profile email offline_access',
          'openid email roles offline_access notes:read files:read',
          'openid profile phone address groups permissions offline_access photos:read',
        ),
        backchannel_logout_uri: fc.constant('https://app.example/log-out'),
        protocol: protocols(encrypted),
      },
      { requiredKeys: ['type', 'protocol'] },
    )
    .map((app) => fitting(app));

export interface Person {
  roles: string[];
  groups: string[];
  picture: string | null;
  claims: NonNullable<AccountChange['claims']>;
}
export const people: fc.Arbitrary<Person> = fc.record({
  roles: fc.subarray(['reader', 'editor', 'nobody-knows']),
  groups: fc.subarray(['staff', 'guests']),
  picture: fc.constantFrom(null, 'https://pictures.example/ada.png'),
  claims: fc.record(
    {
      given_name: fc.constantFrom('Ada', 'Ядвига', '"\\</script>'),
      nickname: fc.constant('😀'),
      locale: fc.constant('de'),
      phone_number: fc.constant('+442071234567'),
      address: fc.constant({ locality: 'London', country: 'UK' }),
    },
    { requiredKeys: [] },
  ),
});

export interface Asked {
  scope: string;
  resource: string[];
  /** Scopes that the person leaves unticked, where they are asked. */
  declined: string[];
  nonce: boolean;
  claims: string | undefined;
  max_age: boolean;
}

/** Of an authorization request that the app may send. */
export const askedBy = ({ scope, allowed_resources }: Partial<NewClient>): fc.Arbitrary<Asked> => {
  const mayHave = (name: string) => scope === undefined || wordsOf(scope).includes(name);
  const scopes = [...OF_PEOPLE, ...OF_APIS].filter(mayHave);
  return fc.record({
    scope: fc
      .tuple(fc.subarray(scopes), fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.boolean()))
      .map(([some, offline]) => [
        'openid',
        ...some,
        ...(offline && mayHave('offline_access') ? ['offline_access'] : []),
      ])
      .map((names) => names.join(' ')),
    resource: fc.oneof(
      { weight: 4, arbitrary: fewOf(allowed_resources ?? RESOURCES, 1) },
      { weight: 1, arbitrary: fewOf(allowed_resources ?? RESOURCES) },
    ),
    declined: fewOf([...OF_PEOPLE, 'offline_access'].filter(mayHave)),
    nonce: fc.boolean(),
    claims: seldom(
      fc.constantFrom(
        '{"id_token":{"email":null,"auth_time":{"essential":true}}}',
        '{"userinfo":{"name":{"essential":true},"phone_number":null}}',
        '{"id_token":{"picture":null,"acr":null},"userinfo":{"given_name":null}}',
      ),
    ),
    max_age: fc.boolean(),
  });
};

/** What a refresh, or a program, asks for: mostly what it may have, and now and then what it may not. */
export const narrower = fc.record<{ scope: string | undefined; resource: string[] }>({
  scope: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    {
      weight: 3,
      arbitrary: fc
        .subarray(['openid', 'profile', 'email', 'roles', 'notes:read', 'files:read'])
        .map((names) => names.join(' ')),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...['openid openid', ' openid  email ', 'openid offline_access', 'no"scope', 'nothing'],
      ),
    },
  ),
  resource: fc.oneof(
    { weight: 6, arbitrary: fc.constant<string[]>([]) },
    { weight: 4, arbitrary: fc.constantFrom(...RESOURCES).map((one) => [one]) },
    { weight: 1, arbitrary: fc.constantFrom(...[[NOTES, FILES], ['urn:nowhere'], ['not a URI'], ['urn:notes#part']]) },
  ),
});

export const services: fc.Arbitrary<Partial<NewClient>> = fc
  .record(
    {
      type: fc.constant('service' as const),
      scope: fc.subarray([...OF_APIS, 'tenant']).map((names) => names.join(' ')),
      default_resource: fc.constantFrom(...RESOURCES),
      allowed_resources: fc.subarray(RESOURCES),
      access_token_lifetime: fc.constantFrom(45, 7200),
      protocol: fc.constantFrom<NonNullable<NewClient['protocol']>>(
        {},
        {},
        { token_endpoint_auth_method: 'client_secret_post' },
      ),
    },
    { requiredKeys: ['type', 'protocol'] },
  )
  .map(({ scope, ...service }) => fitting({ ...service, ...(scope ? { scope } : {}) }));
