/**
 * Every key of the configuration: type, default, meaning. The loader, the environment names, `config show` and
 * `config/README.md` are all derived from this one schema.
 */
import { z } from 'zod';
import { federationSchema } from './federation.ts';
import type { FederationConfig } from './federation.ts';

const seconds = (fallback: number, text: string) =>
  z
    .int()
    .positive()
    .default(fallback)
    .meta({ description: `${text} In seconds.` });
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
// Without what would end a header or name a second address.
const mailbox = z
  .string()
  .max(320)
  .regex(
    /^([^<>"\p{Cc}]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/u,
    'must be an address, or Name <address>',
  );
const cssColor = z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour like #3f4fd8');

const lifetimes = z.strictObject({
  access_token: seconds(900, 'Life of an access token.'),
  id_token: seconds(3600, 'Life of an ID token.'),
  authorization_code: seconds(60, 'Life of an authorization code.'),
  refresh_token: seconds(604_800, 'Life of a refresh token; each refresh starts it anew.'),
  refresh_token_absolute: seconds(2_592_000, 'End of a chain of refresh tokens, however often it was refreshed.'),
  session: seconds(86_400, 'Idle life of a sign-in session; each authorization starts it anew.'),
  interaction: seconds(3600, 'Time a person has to finish signing in.'),
});

const smtpUrl = z
  .string()
  .refine((value) => /^smtps?:$/.test(URL.parse(value)?.protocol ?? ''), 'must be smtp://… or smtps://…')
  .refine(
    (value) => !!URL.parse(value)?.hostname && !/[?#]/.test(value),
    'must name a host, with neither query nor fragment',
  );

const mail = z.strictObject({
  smtp_url: smtpUrl.optional().meta({
    secret: true,
    description:
      'Mail server: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`. Special characters in the password percent-encoded.',
  }),
  from: mailbox.optional().meta({
    description:
      'Sender of all mails, an address or `Name <address>`. Needed with `smtp_url`; default outside production: `no-reply@<host of issuer>`.',
  }),
  reply_to: mailbox.optional().meta({ description: 'Where answers to mails go, if not to the sender.' }),
  allow_insecure: z.boolean().default(false).meta({
    description: 'Send also where the mail server offers no TLS. To a server on this machine that is always allowed.',
  }),
  timeout: seconds(20, 'How long to wait for each answer of the mail server; one mail may take three times as long.'),
  mailbox: z.boolean().default(false).meta({
    description:
      'Where no `smtp_url` is set, show mails at `/mailbox` instead of sending them. Everybody can read them: refused in production.',
  }),
});

const passwords = z.strictObject({
  memory_kib: z.int().min(8192).default(47_104).meta({ description: 'argon2id memory in KiB.' }),
  iterations: z.int().min(1).max(100).default(1).meta({ description: 'argon2id passes.' }),
  parallelism: z.int().min(1).max(16).default(1).meta({ description: 'argon2id lanes.' }),
  queue: z
    .int()
    .min(1)
    .default(256)
    .meta({ description: 'Sign-ins that may wait for a hash; more get 503 with Retry-After.' }),
  breach_check_url: httpUrl.optional().meta({
    description:
      "Range look-up of breached passwords, such as `https://api.pwnedpasswords.com/range`: gets the first five characters of a new password's SHA-1. Off by default.",
  }),
});

export const configSchema = z.strictObject({
  issuer: httpUrl
    .refine((value) => !/[?#]/.test(value), 'must have neither query nor fragment')
    .optional()
    .meta({
      description:
        'Public address of this provider, the `iss` of every token. May have a path. Default outside production: `http://localhost:<port>`.',
    }),
  port: z.int().min(0).max(65_535).default(3000).meta({ description: 'Port to listen on; 0 picks a free one.' }),
  host: z.string().min(1).default('127.0.0.1').meta({ description: 'Address to listen on; `0.0.0.0` for all.' }),
  data_dir: z
    .string()
    .min(1)
    .default('./data')
    .meta({ description: 'Folder for the SQLite file, generated secrets and the compile cache.' }),
  storage: z
    .strictObject({
      url: z
        .string()
        .regex(/^(sqlite:.+|mongodb(\+srv)?:\/\/.+)$/, 'must be sqlite:<file>, sqlite::memory: or mongodb://…')
        .optional()
        .meta({
          secret: true,
          description:
            'Where data lives: `sqlite:<file>`, `sqlite::memory:` or `mongodb://…`. Default: `sqlite:<data_dir>/gatehouse.db`.',
        }),
    })
    .prefault({}),
  secrets: z
    .strictObject({
      encryption_key: z.string().optional().meta({
        secret: true,
        description:
          'At least 32 random bytes in base64 or hex; encrypts what is stored. Generated into `data_dir` outside production.',
      }),
      cookie_keys: z.array(z.string()).optional().meta({
        secret: true,
        description:
          'Keys that sign cookies; the first signs, the others still verify. Generated into `data_dir` outside production.',
      }),
    })
    .prefault({}),
  brand: z
    .strictObject({
      name: z.string().min(1).max(60).default('Gatehouse').meta({ description: 'Product name on every page.' }),
      logo: z.string().optional().meta({ description: 'Path of a PNG, JPEG or WebP file shown as our mark.' }),
      accent: cssColor.optional().meta({ description: 'Accent colour in light mode, like `#3f4fd8`.' }),
      accent_dark: cssColor.optional().meta({ description: 'Accent colour in dark mode.' }),
      privacy_url: httpUrl.optional().meta({ description: 'Link to the privacy policy in the footer.' }),
      terms_url: httpUrl.optional().meta({ description: 'Link to the terms in the footer.' }),
    })
    .prefault({}),
  sign_up: z
    .strictObject({
      enabled: z.boolean().default(true).meta({ description: 'People may create their own account.' }),
      verify_email: z.enum(['before_first_use', 'later']).optional().meta({
        description:
          '`before_first_use`: no account exists before its e-mail is proved, and nobody learns who has one. `later`: it may be used at once, which tells whether an e-mail is taken. Default: `before_first_use` where `mail.smtp_url` is set.',
      }),
    })
    .prefault({}),
  sign_in: z
    .strictObject({
      mailed: z
        .boolean()
        .default(false)
        .meta({ description: 'People may sign in by a mailed link or code in place of their password.' }),
    })
    .prefault({}),
  demo: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .meta({ description: 'Create a demo person at start. Refused in production.' }),
    })
    .prefault({}),
  playground: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .meta({ description: 'Serve `/playground`, a relying party that shows each step of a login.' }),
    })
    .prefault({}),
  federation: federationSchema.prefault({}),
  outbound: z
    .strictObject({
      allow_private: z
        .boolean()
        .default(false)
        .meta({ description: 'Fetch addresses named by clients (logos) from private networks too.' }),
    })
    .prefault({}),
  mail: mail.prefault({}),
  lifetimes: lifetimes.prefault({}),
  passwords: passwords.prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['silent', 'error', 'warn', 'info', 'debug'])
        .default('info')
        .meta({ description: 'Least severe level that is logged, to standard error.' }),
    })
    .prefault({}),
});

export type ConfigInput = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;

/** The configuration as the program uses it: every open question answered. */
export interface Config extends ParsedConfig {
  environment: string;
  production: boolean;
  issuer: string;
  storage: { url: string };
  secrets: { encryption_key: string; cookie_keys: string[] };
  sign_up: { enabled: boolean; verify_email: 'before_first_use' | 'later' };
  federation: FederationConfig;
}
