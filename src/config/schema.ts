/**
 * Every key of the configuration: type, default, meaning. The loader, the environment names, `config show` and
 * `config/README.md` are all derived from this one schema.
 */
import { z } from 'zod';
import { createNetworks } from '../kernel/addresses.ts';
import { federationSchema } from './federation.ts';
import type { FederationConfig } from './federation.ts';
import { protocolSchema } from './protocol.ts';

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
  refresh_token_grace: z.int().min(0).max(60).default(10).meta({
    description:
      'How long a refresh token that was just used gives its one successor again, so that tabs that refresh at once and answers that get lost sign nobody out. 0: not at all. In seconds.',
  }),
  session: seconds(86_400, 'Idle life of a sign-in session; each authorization starts it anew.'),
  interaction: seconds(3600, 'Time a person has to finish signing in.'),
  invitation: seconds(604_800, 'Time a person has to accept an invitation.'),
});

const keys = z.strictObject({
  algorithms: z
    .array(z.enum(['ES256', 'RS256', 'PS256', 'EdDSA'], 'must be ES256, RS256, PS256 or EdDSA'))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'names one twice')
    .default(['ES256', 'RS256'])
    .meta({
      description:
        'What there are signing keys for: `ES256`, `RS256`, `PS256`, `EdDSA`. The first signs access tokens; `RS256` must be among them.',
    }),
  rotation: z.int().min(0).default(7_776_000).meta({
    description: 'How long a key signs before the next one takes over. 0: only by `keys rotate`. In seconds.',
  }),
  lead: seconds(86_400, 'How long the next key is published before it signs.'),
  cache: seconds(900, 'How long apps may keep the key set (`Cache-Control`); `keys.lead` must be longer by 2.'),
  retirement: seconds(
    2_592_000,
    'How long a key stays published after it ceased to sign: as long as tokens last, and as ID tokens are to be good as `id_token_hint`.',
  ),
  fetch_record: z.int().min(0).max(31_536_000).default(604_800).meta({
    description:
      'How long is remembered which addresses and user agents fetched the key set, for `keys list`. 0: not at all. In seconds.',
  }),
  signer: z.string().min(1).optional().meta({
    description: 'Path of a module that keeps private keys elsewhere: PKCS#11, a key management service.',
  }),
});

/** Whether it names a server, and user and password can be decoded. */
function isSmtpUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || /[?#]/.test(value)) return false;
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false;
  }
}
const smtpUrl = z
  .string()
  .refine(
    isSmtpUrl,
    'must be smtp://… or smtps://… with a host, neither query nor fragment, and a percent-encoded password',
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

const whole = (fallback: number, text: string) =>
  z.int().min(1).max(100_000).default(fallback).meta({ description: text });
const perHour = 'within `limits.window`';

const limits = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: 'Limit guessing and flooding. Turning it off is said in the log at each start.' }),
  window: seconds(3600, 'How long a wrong try, or a request, counts.'),
  lock_seconds: z.array(z.coerce.number().int().min(1).max(86_400)).min(1).default([60, 300, 900, 3600]).meta({
    description: 'Lengths of the first, second, … lock-out of a day; the last stands for all that follow. In seconds.',
  }),
  known_device: seconds(7_776_000, 'How long a browser counts as known for an account after its last sign-in.'),
  password: z
    .strictObject({
      account_and_address: whole(10, `Wrong passwords for one account from one address ${perHour}.`),
      account: whole(30, `Wrong passwords for one account, from all addresses that are not known devices, ${perHour}.`),
      address: whole(100, `Wrong passwords from one address, for all accounts, ${perHour}.`),
      device: whole(10, `Wrong passwords for one account from a device that signed in to it before, ${perHour}.`),
    })
    .prefault({}),
  code: z
    .strictObject({
      account_and_address: whole(10, `Wrong typed codes for one account from one address ${perHour}.`),
      account: whole(20, `Wrong typed codes for one account ${perHour}.`),
      address: whole(100, `Wrong typed codes from one address ${perHour}.`),
      device: whole(10, `Wrong typed codes from a known device ${perHour}.`),
    })
    .prefault({}),
  passkey: z
    .strictObject({
      account_and_address: whole(
        20,
        `Answers of passkeys that do not hold, for one account from one address ${perHour}.`,
      ),
      address: whole(100, `Answers of passkeys that do not hold, from one address ${perHour}.`),
      device: whole(20, `Answers of passkeys that do not hold, from a known device ${perHour}.`),
    })
    .prefault({}),
  link: z
    .strictObject({ address: whole(100, `Mailed links that do not exist, opened from one address ${perHour}.`) })
    .prefault({}),
  client: z
    .strictObject({
      client_and_address: whole(
        20,
        `Wrong secrets for one client from one address ${perHour}, at all endpoints together.`,
      ),
    })
    .prefault({}),
  callback: z
    .strictObject({
      address: whole(100, `Answers of upstream providers that belong to no sign-in, from one address ${perHour}.`),
    })
    .prefault({}),
  mail: z
    .strictObject({
      account: whole(
        5,
        `Mails that strangers may ask for to one address ${perHour}: resets, links and codes together.`,
      ),
      address: whole(50, `Mails that may be asked for from one address ${perHour}.`),
      device: whole(5, `Mails that a known device may ask for ${perHour}.`),
    })
    .prefault({}),
  approval: z
    .strictObject({
      client_and_account: whole(10, `Requests of one app that one person is asked to answer (CIBA) ${perHour}.`),
      account: whole(20, `Requests of all apps that one person is asked to answer (CIBA) ${perHour}.`),
    })
    .prefault({}),
  hint: z
    .strictObject({
      client_and_address: whole(20, `Hints of one app from one address that name nobody (CIBA) ${perHour}.`),
    })
    .prefault({}),
  registration: z
    .strictObject({ address: whole(20, `Apps that register themselves from one address ${perHour}.`) })
    .prefault({}),
  client_document: z
    .strictObject({
      address: whole(
        100,
        `Documents of apps without registration that are read for requests from one address ${perHour}.`,
      ),
    })
    .prefault({}),
  sign_up: z.strictObject({ address: whole(50, `Sign-ups sent from one address ${perHour}.`) }).prefault({}),
  admin_api: z
    .strictObject({
      client_and_address: whole(30_000, `Requests of one app from one address to the admin API ${perHour}.`),
    })
    .prefault({}),
  authorization: z
    .strictObject({ address: whole(3000, `Sign-ins begun and not finished from one address ${perHour}.`) })
    .prefault({}),
});

function isNetwork(entry: string): boolean {
  try {
    createNetworks([entry]);
    return true;
  } catch {
    return false;
  }
}

const factors = z.strictObject({
  policy: z.enum(['off', 'optional', 'required']).default('optional').meta({
    description:
      'Second factors: `off` (not offered, not asked for), `optional` (who has one is asked for it), `required` (nobody signs in without).',
  }),
  required_roles: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'Roles whose people need a second factor also where it is `optional`.' }),
  enrolment_grace: z.int().min(0).max(31_536_000).default(0).meta({
    description:
      'How long a person may say "not now" where the policy requires a second factor, from the first time they are asked. 0: not at all. In seconds.',
  }),
  mailed_code: z.boolean().default(false).meta({
    description:
      'A mailed code may stand in for a second factor. Whoever reads the mail can reset the password too: then one mailbox is all it takes.',
  }),
  remember_device: z.int().min(0).max(31_536_000).default(2_592_000).meta({
    description: 'How long a browser may be spared the second factor if its person ticks that. 0: never. In seconds.',
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
  trusted_proxies: z
    .array(z.string().refine(isNetwork, 'must be an address, a network like 10.0.0.0/8, loopback or private'))
    .default([])
    .meta({
      description:
        'Proxies in front whose `X-Forwarded-For` is believed: addresses, networks like `10.0.0.0/8`, `loopback`, `private`. Behind a proxy that is missing here, all people count as one address.',
    }),
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
          'At least 32 random bytes in base64 or hex; encrypts what is stored. To replace it, several separated by commas: the first encrypts, all decrypt. Generated into `data_dir` outside production.',
      }),
      cookie_keys: z.array(z.string()).optional().meta({
        secret: true,
        description:
          'Keys that sign cookies; the first signs, the others still verify. Generated into `data_dir` outside production.',
      }),
    })
    .prefault({}),
  themes_dir: z.string().min(1).default('./themes').meta({
    description: 'Folder of the themes; a client may have one of its own.',
  }),
  brand: z
    .strictObject({
      name: z.string().min(1).max(60).default('Gatehouse').meta({ description: 'Product name on every page.' }),
      logo: z.string().optional().meta({ description: 'Path of a PNG, JPEG or WebP file shown as our mark.' }),
      theme: z
        .string()
        .optional()
        .meta({ description: 'Name of a theme, a folder in `themes_dir`, for all pages and mails.' }),
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
  passkeys: z
    .strictObject({
      enabled: z.boolean().default(true).meta({
        description:
          'People may sign in with passkeys. They belong to the host of `issuer`; where that is an address and no name there are none.',
      }),
      offer: z.boolean().default(true).meta({
        description:
          'After a sign-in without one, on a device that can make one, ask once whether the person wants a passkey.',
      }),
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
  factors: factors.prefault({}),
  portal: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .meta({ description: "Serve `/account`, a person's own page: profile, sign-in, sessions, apps, their data." }),
      delete_after: seconds(604_800, 'Time in which whoever asked to delete their account may still keep it.'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      console: z.boolean().default(true).meta({ description: 'Serve the console, pages for admins, at `/admin`.' }),
      api: z.boolean().default(true).meta({ description: 'Serve the admin API at `/admin/api`.' }),
    })
    .prefault({}),
  audit: z
    .strictObject({
      retention: seconds(31_536_000, 'How long what happened to accounts is kept.'),
      tokens: z.boolean().default(true).meta({
        description:
          'Keep a record of each token that is issued, refreshed or revoked; it is written within half a second.',
      }),
    })
    .prefault({}),
  federation: federationSchema.prefault({}),
  ...protocolSchema,
  outbound: z
    .strictObject({
      allow_private: z.boolean().default(false).meta({
        description: 'Reach addresses named by clients (logos, keys, log-out) in private networks too, and over http.',
      }),
    })
    .prefault({}),
  mail: mail.prefault({}),
  lifetimes: lifetimes.prefault({}),
  keys: keys.prefault({}),
  passwords: passwords.prefault({}),
  limits: limits.prefault({}),
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
