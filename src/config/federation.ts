/** The `federation` part of the schema: one entry for each upstream provider, under the name that its callback has. */
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { isLoopback } from '../kernel/urls.ts';

const NAME = /^[a-z][a-z\d-]{0,39}$/;
const TYPES = ['google', 'github', 'microsoft', 'apple', 'oidc'] as const;

const said = (issue: { input?: unknown }) => (issue.input === undefined ? 'is missing' : 'must be text');
const text = (description: string) => z.string({ error: said }).min(1, 'must not be empty').meta({ description });
const secret = (description: string) =>
  z.string({ error: said }).min(1, 'must not be empty').meta({ secret: true, description });

function isUpstreamUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || url.search || url.hash || url.username || url.password) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
}

const upstreamUrl = (description: string) =>
  z
    .string({ error: said })
    .refine(isUpstreamUrl, 'must be an https URL (http is for loopback addresses) without query or fragment')
    .meta({ description });

function isEs256Key(pem: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
    return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** What every provider has. */
const common = <T extends string>(type: T, { scopes, trustEmail }: { scopes: string[]; trustEmail: boolean }) => ({
  type: z.literal(type).default(type).meta({ implied: true }),
  client_id: text('Client id that the provider gave you.'),
  display_name: z.string().min(1).max(40).optional().meta({ description: 'Name on the button and in messages.' }),
  scopes: z.array(z.string().min(1)).min(1).default(scopes).meta({ description: 'What is asked for there.' }),
  trust_email: z
    .boolean()
    .default(trustEmail)
    .meta({
      description:
        type === 'microsoft'
          ? 'Take every e-mail that comes as verified. Only for a tenant whose administrators vouch for them; `xms_edov` is believed anyway.'
          : 'Believe the provider when it says that an e-mail is verified.',
    }),
  refresh: z
    .array(z.enum(['name', 'picture', 'email'], 'must be name, picture or email'))
    .default(['name', 'picture'])
    .meta({ description: 'What is taken over again at later sign-ins: `name`, `picture`, `email` (a verified one).' }),
  create_accounts: z.boolean().optional().meta({
    description: 'Who signs in for the first time gets an account. Default: as `sign_up.enabled`.',
  }),
});

const trustAmr = z
  .boolean()
  .default(false)
  .meta({ description: 'Pass on its `amr` and `acr`, how the person signed in there.' });
const clientSecret = secret('Client secret that the provider gave you.');
const OPENID = ['openid', 'email', 'profile'];

const google = z.strictObject({
  ...common('google', { scopes: OPENID, trustEmail: true }),
  client_secret: clientSecret,
  issuer: upstreamUrl('Stands in for Google, in a test.').default('https://accounts.google.com'),
  hosted_domain: z.string().min(1).optional().meta({
    description: 'Only people of this Google Workspace domain; checked in the ID token (`hd`).',
  }),
  trust_amr: trustAmr,
});

const github = z.strictObject({
  ...common('github', { scopes: ['read:user', 'user:email'], trustEmail: true }),
  client_secret: clientSecret,
  issuer: upstreamUrl('Address of a GitHub Enterprise Server.').default('https://github.com'),
  api_url: upstreamUrl(
    'Address of its API. Default: `https://api.github.com`, or `<issuer>/api/v3` of another server.',
  ).optional(),
});

const microsoft = z.strictObject({
  ...common('microsoft', { scopes: OPENID, trustEmail: false }),
  client_secret: clientSecret,
  tenant: z
    .string()
    .regex(/^[\w.-]+$/, 'must be an id, a domain, common, organizations or consumers')
    .default('common')
    .meta({ description: 'Id or domain of your tenant, or `common`, `organizations`, `consumers`.' }),
  allowed_tenants: z.array(z.string().min(1)).default([]).meta({
    description: 'Ids of the tenants whose people may sign in; empty is any that `tenant` covers.',
  }),
  issuer: upstreamUrl('Stands in for `https://login.microsoftonline.com/<tenant>/v2.0`.').optional(),
  trust_amr: trustAmr,
});

const apple = z.strictObject({
  ...common('apple', { scopes: ['openid', 'name', 'email'], trustEmail: true }),
  team_id: text('Your team id.'),
  key_id: text('Id of the key for Sign in with Apple.'),
  private_key: z
    .string({ error: said })
    .refine(isEs256Key, 'must be the private key in PEM form, as in the .p8 file that Apple gave you')
    .meta({ secret: true, description: 'The private key (the text of the .p8 file).' }),
  issuer: upstreamUrl('Stands in for Apple, in a test.').default('https://appleid.apple.com'),
  trust_amr: trustAmr,
});

const oidc = z.strictObject({
  ...common('oidc', { scopes: OPENID, trustEmail: true }),
  client_secret: clientSecret.optional(),
  issuer: upstreamUrl('Its issuer; everything else is discovered from it.'),
  logo: z.string().min(1).optional().meta({ description: 'Path of a PNG, JPEG or WebP file for the button.' }),
  trust_amr: trustAmr,
});

/** A provider under a name of the operator's choice says what it is. */
export const namedProvider = z.discriminatedUnion(
  'type',
  [oidc, google, github, microsoft, apple],
  `must be one of ${TYPES.join(', ')}`,
);

/** Providers that admins add: as those of the configuration, but for what lies on the disk of the server. */
export const storedProvider = z.discriminatedUnion(
  'type',
  [oidc.omit({ logo: true }), google, github, microsoft, apple],
  `must be one of ${TYPES.join(', ')}`,
);

/** What any of them can say. */
export const PROVIDER_SHAPES = { oidc: oidc.omit({ logo: true }), google, github, microsoft, apple };
export const PROVIDER_TYPES = TYPES;
export const PROVIDER_NAME = NAME;

/** The keys of a generic provider, for the reference: it has no names in the environment. */
export const genericProvider = oidc;

export const federationSchema = z
  .object({
    google: google.optional(),
    github: github.optional(),
    microsoft: microsoft.optional(),
    apple: apple.optional(),
  })
  .catchall(namedProvider)
  .check((ctx) => {
    for (const name of Object.keys(ctx.value)) {
      if (!NAME.test(name))
        ctx.issues.push({
          code: 'custom',
          input: name,
          path: [name],
          message: 'must be named in small letters, digits and hyphens, beginning with a letter',
        });
    }
  });

export type ProviderConfig = z.output<typeof namedProvider>;

/** The providers as the program uses them: in the order of the file. */
export type FederationConfig = Record<string, ProviderConfig>;

/** @param tree as it was read, whose order counts. */
export function inOrder(parsed: Record<string, unknown>, tree: unknown): FederationConfig {
  const names = Object.keys(tree ?? {});
  return Object.fromEntries(names.flatMap((name) => (parsed[name] ? [[name, parsed[name] as ProviderConfig]] : [])));
}

/** Upstreams that production must not talk to: what goes over http can be read and changed. */
export const insecureUpstreams = (parsed: Record<string, unknown>): string[] =>
  Object.entries(parsed).flatMap(([name, settings]) =>
    (['issuer', 'api_url'] as const)
      .filter((key) => (settings as Record<string, unknown> | undefined)?.[key]?.toString().startsWith('http:'))
      .map((key) => `federation.${name}.${key} must be https`),
  );

export const SECRETS = ['client_secret', 'private_key'] as const;

export const maskedFederation = (federation: FederationConfig) =>
  Object.fromEntries(
    Object.entries(federation).map(([name, settings]) => [
      name,
      Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [
          key,
          (SECRETS as readonly string[]).includes(key) && value ? '***' : value,
        ]),
      ),
    ]),
  );
